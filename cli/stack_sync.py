"""Updates a stack's record of its alias after a rollback by hand, so that its next update starts from the truth.

CodeDeploy refuses to shift an alias that does not name the version in the stack. The update here changes the
template in the alias alone: the version is written out, and without the update policy CloudFormation sets it
itself, to what it already is. The next deploy writes the usual template again. CloudFormation acts with the role
of the stack's last update (docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_UpdateStack.html)."""

import json
import time
from collections.abc import Mapping
from typing import Any

import botocore.exceptions

from serinus.cli.errors import CliError
from serinus.cli.target import CloudTarget
from serinus.infra.names import ALIAS, OUTPUTS

#: CloudFormation's limit for a template sent with the call, in bytes.
LARGEST_BODY = 51_200


def sync_stack_alias(target: CloudTarget, stack: str, *, version: str, model_version: str) -> None:
    """Write ``version`` into the template of ``stack`` and wait; `CliError` when CloudFormation refuses."""
    cloudformation = target.client("cloudformation")
    described = _wait_until_idle(cloudformation, stack, target.pause_s)
    template = cloudformation.get_template(StackName=stack, TemplateStage="Processed")["TemplateBody"]
    changed = json.dumps(pin_alias(template, version, model_version), separators=(",", ":"))
    try:
        cloudformation.update_stack(
            StackName=stack,
            **_body(target, described["StackId"], changed),
            Parameters=[
                {"ParameterKey": parameter["ParameterKey"], "UsePreviousValue": True}
                for parameter in described.get("Parameters", [])
            ],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
        )
        pause = {} if target.cloud is None else {"WaiterConfig": {"Delay": 1, "MaxAttempts": 120}}
        cloudformation.get_waiter("stack_update_complete").wait(StackName=stack, **pause)
    except (botocore.exceptions.ClientError, botocore.exceptions.WaiterError) as error:
        if "No updates are to be performed" in str(error):
            return
        raise CliError(
            f"version {version} serves again and serinus.lock is updated, but stack {stack} could not be updated: "
            f"{error} Run the same command again to finish."
        ) from error


def _wait_until_idle(cloudformation: Any, stack: str, pause_s: float) -> dict[str, Any]:
    """The stack once it has cleaned up after its last update: until then it rejects updates."""
    while True:
        described: dict[str, Any] = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        if not described["StackStatus"].endswith("_CLEANUP_IN_PROGRESS"):
            return described
        time.sleep(pause_s)


def pin_alias(template: dict[str, Any], version: str, model_version: str) -> dict[str, Any]:
    """``template`` with alias and outputs that name ``version`` outright."""
    changed: dict[str, Any] = json.loads(json.dumps(template))
    for resource in changed["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Alias" and resource["Properties"]["Name"] == ALIAS:
            resource["Properties"]["FunctionVersion"] = version
            resource.pop("UpdatePolicy", None)
    changed.get("Outputs", {}).pop(OUTPUTS.hotfix, None)  # of how another version was released
    for key, value in ((OUTPUTS.function_version, version), (OUTPUTS.model_version, model_version)):
        if key in changed.get("Outputs", {}):
            changed["Outputs"][key]["Value"] = value
    return changed


def _body(target: CloudTarget, stack_id: str, template: str) -> dict[str, str]:
    """The call's template parameter: the text, or above CloudFormation's limit a URL in the bucket that holds the
    stack's own code, whatever it was bootstrapped with."""
    if len(template.encode()) <= LARGEST_BODY:
        return {"TemplateBody": template}
    _, partition, _, region, account, resource = stack_id.split(":", 5)
    bucket, key = (
        asset_bucket(json.loads(template), region, account),
        f"serinus/rollback/{resource.split('/')[1]}.json",
    )
    target.client("s3").put_object(Bucket=bucket, Key=key, Body=template.encode())
    return {"TemplateURL": f"https://{bucket}.s3.{region}.{dns_suffix(partition)}/{key}"}


def asset_bucket(template: Mapping[str, Any], region: str, account: str) -> str:
    """The bucket of the template's functions; raises `CliError` if none names one."""
    for resource in template["Resources"].values():
        bucket = resource.get("Properties", {}).get("Code", {}).get("S3Bucket")
        if resource["Type"] == "AWS::Lambda::Function" and bucket is not None:
            name = bucket["Fn::Sub"] if isinstance(bucket, dict) else str(bucket)
            return str(name).replace("${AWS::AccountId}", account).replace("${AWS::Region}", region)
    raise CliError("no function of the stack names the bucket of its code. Deploy the endpoint again.")


def dns_suffix(partition: str) -> str:
    """The end of a partition's host names."""
    return "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
