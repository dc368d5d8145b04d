"""Updates a stack's record of its alias after a rollback by hand, so that its next update starts from the truth.

CodeDeploy refuses to shift an alias that does not name the version in the stack. The update here changes the
template in the alias alone: the version is written out, and without the update policy CloudFormation sets it
itself, to what it already is. The next deploy writes the usual template again."""

import json
import time
from typing import Any

import botocore.exceptions

from serinus.cli.errors import CliError
from serinus.cli.target import CloudTarget
from serinus.infra.names import ALIAS, OUTPUTS

#: CloudFormation's limit for a template sent with the call, in bytes.
LARGEST_BODY = 51_200
_BOOTSTRAP_STACK = "CDKToolkit"


def sync_stack_alias(target: CloudTarget, stack: str, *, version: str, model_version: str) -> None:
    """Write ``version`` into the template of ``stack`` and wait; `CliError` when CloudFormation refuses."""
    cloudformation = target.client("cloudformation")
    described = _wait_until_idle(cloudformation, stack, target.pause_s)
    template = cloudformation.get_template(StackName=stack, TemplateStage="Processed")["TemplateBody"]
    changed = json.dumps(pin_alias(template, version, model_version), separators=(",", ":"))
    try:
        cloudformation.update_stack(
            StackName=stack,
            **_body(target, cloudformation, stack, changed),
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


def _body(target: CloudTarget, cloudformation: Any, stack: str, template: str) -> dict[str, str]:
    """The call's template parameter: the text, or above CloudFormation's limit a URL in CDK's bucket."""
    if len(template.encode()) <= LARGEST_BODY:
        return {"TemplateBody": template}
    outputs = cloudformation.describe_stacks(StackName=_BOOTSTRAP_STACK)["Stacks"][0]["Outputs"]
    bucket = next(output["OutputValue"] for output in outputs if output["OutputKey"] == "BucketName")
    storage, key = target.client("s3"), f"serinus/rollback/{stack}.json"
    storage.put_object(Bucket=bucket, Key=key, Body=template.encode())
    return {"TemplateURL": f"https://{bucket}.s3.{storage.meta.region_name}.amazonaws.com/{key}"}
