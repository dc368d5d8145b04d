"""A stack is told that its alias was put back by hand, so that its next update does not start from a wrong belief.

CodeDeploy refuses to move an alias that is not where the stack says. The update here changes the template in the
alias alone: the version is written out, and without the update policy CloudFormation sets it itself, to what it
already is. The next deploy writes the usual template again.
"""

import json
import time
from typing import Any

import botocore.exceptions

from serinus.cli.errors import CliError
from serinus.cli.target import Target
from serinus.infra.names import ALIAS, OUTPUTS

#: CloudFormation's limit for a template sent with the call, in bytes.
LARGEST_BODY = 51_200
_BOOTSTRAP_STACK = "CDKToolkit"


def tell_stack(target: Target, stack: str, *, version: str, model_version: str) -> None:
    """Write ``version`` into the template of ``stack`` and wait; `CliError` when CloudFormation refuses."""
    cloudformation = target.client("cloudformation")
    described = _at_rest(cloudformation, stack, target.pause_s)
    template = cloudformation.get_template(StackName=stack, TemplateStage="Processed")["TemplateBody"]
    changed = json.dumps(pin_alias(template, version, model_version), separators=(",", ":"))
    try:
        cloudformation.update_stack(
            StackName=stack,
            **_body(target, cloudformation, stack, changed),
            Parameters=[
                {"ParameterKey": one["ParameterKey"], "UsePreviousValue": True}
                for one in described.get("Parameters", [])
            ],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
        )
        pause = {} if target.cloud is None else {"WaiterConfig": {"Delay": 1, "MaxAttempts": 120}}
        cloudformation.get_waiter("stack_update_complete").wait(StackName=stack, **pause)
    except (botocore.exceptions.ClientError, botocore.exceptions.WaiterError) as error:
        if "No updates are to be performed" in str(error):
            return
        raise CliError(
            f"version {version} answers again and the lock is moved, but stack {stack} could not be told: {error} "
            "The same command once more makes up for it."
        ) from error


def _at_rest(cloudformation: Any, stack: str, pause_s: float) -> dict[str, Any]:
    """The stack once it has cleaned up after its last update: until then it takes no other."""
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
            resource["Properties"].pop("Description", None)  # of how another version was released
    for key, value in ((OUTPUTS.function_version, version), (OUTPUTS.model_version, model_version)):
        if key in changed.get("Outputs", {}):
            changed["Outputs"][key]["Value"] = value
    return changed


def _body(target: Target, cloudformation: Any, stack: str, template: str) -> dict[str, str]:
    """The template as the call takes it: in itself, or beyond CloudFormation's limit from CDK's own bucket."""
    if len(template.encode()) <= LARGEST_BODY:
        return {"TemplateBody": template}
    outputs = cloudformation.describe_stacks(StackName=_BOOTSTRAP_STACK)["Stacks"][0]["Outputs"]
    bucket = next(one["OutputValue"] for one in outputs if one["OutputKey"] == "BucketName")
    storage, key = target.client("s3"), f"serinus/rollback/{stack}.json"
    storage.put_object(Bucket=bucket, Key=key, Body=template.encode())
    return {"TemplateURL": f"https://{bucket}.s3.{storage.meta.region_name}.amazonaws.com/{key}"}
