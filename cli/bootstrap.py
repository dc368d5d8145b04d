"""The CDK bootstrap of an offline cloud."""

from pathlib import Path

from serinus.cli import cdk, offline_process
from serinus.cli.console import step
from serinus.cli.target import CloudTarget


def bootstrap(project: Path, target: CloudTarget, log: Path | None) -> None:
    """Bootstrap the offline cloud once: on AWS the account's owner decides."""
    if target.cloud is None:
        return
    cloudformation = target.client("cloudformation")
    try:
        cloudformation.describe_stacks(StackName="CDKToolkit")
    except cloudformation.exceptions.ClientError:
        with step("bootstrapping the offline cloud"):
            environment = f"aws://{target.cloud.account_id}/{target.cloud.region}"
            # Beside the project: its cdk.json would have the CLI build and synthesize first.
            folder = project / offline_process.FOLDER
            arguments, variables = ["bootstrap", environment], target.environment()
            cdk.run(project, arguments, variables, log=log, folder=folder, ends_with_command=True)
