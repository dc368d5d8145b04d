"""The CDK bootstrap of an offline cloud."""

import shutil
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
            # The CLI leaves its temporary files where it is killed: the next bootstrap deletes them.
            temporary = folder / "bootstrap.tmp"
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir(parents=True)
            arguments, variables = ["bootstrap", environment], {**target.environment(), "TMPDIR": str(temporary)}
            cdk.run(project, arguments, variables, log=log, folder=folder, ends_with_command=True)
            shutil.rmtree(temporary, ignore_errors=True)
