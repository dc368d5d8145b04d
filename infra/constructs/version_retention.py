"""Deletes versions that are no longer needed, after each successful deployment of CodeDeploy.

Not a part of the release: a failure here affects nothing else, and counts as an error of the function.
CloudFormation no longer manages old versions by then (they are retained), and those of its own template are among
the newest.
"""

from pathlib import Path

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from serinus.infra.constructs.permissions import ReleasePermissions
from serinus.infra.constructs.release_function import ReleaseFunction
from serinus.infra.names import task_function_name
from serinus.lambda_handlers.contract import release

_MODULE = "serinus.lambda_handlers.hooks.retire_versions"


class VersionRetention(Construct):
    """Keeps the newest ``keep_versions`` of the function, and whatever a rollback could need."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stack_name: str,
        runtime: str,
        architecture: str,
        keep_versions: int,
        log_retention_days: int,
        permissions: ReleasePermissions,
        encryption_key: str | None = None,
        code_root: Path | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        function = ReleaseFunction(
            self,
            "Retire",
            name=task_function_name(stack_name, "retire"),
            description="Deletes old versions after a release",
            module=_MODULE,
            runtime=runtime,
            architecture=architecture,
            memory_mb=256,
            timeout_s=120,
            environment={
                release.ENV_FUNCTION: permissions.function,
                release.ENV_ALIAS: permissions.alias,
                release.ENV_KEEP_VERSIONS: str(keep_versions),
            },
            statements=[
                permissions.read_deployment(),
                permissions.know_rollbacks(),
                permissions.list_versions(),
                permissions.retire_versions(),
            ],
            log_retention_days=log_retention_days,
            encryption_key=encryption_key,
            code_root=code_root,
        ).function
        events.Rule(
            self,
            "AfterSuccess",
            event_pattern=events.EventPattern(
                source=["aws.codedeploy"],
                detail_type=["CodeDeploy Deployment State-change Notification"],
                detail={
                    "state": ["SUCCESS"],
                    "application": [permissions.application],
                    "deploymentGroup": [permissions.group],
                },
            ),
            targets=[targets.LambdaFunction(function)],
        )
