"""Changes of a deployed endpoint that AWS makes only one at a time: found by comparing settings with the stack.

The lint sees only the settings; what is deployed is known where the deploy command runs.
"""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import botocore.exceptions

from serinus.cli.errors import CliError
from serinus.infra.names import ALIAS, OUTPUTS
from serinus.infra.settings import EndpointSettings

if TYPE_CHECKING:
    from serinus.cli.context import CommandContext
    from serinus.cli.endpoints import DeployedStack


def require_separate_changes(context: "CommandContext", name: str, stack: str) -> None:
    """`CliError` if a deploy of endpoint ``name`` would make two changes at once that AWS makes one at a time."""
    from serinus.cli.endpoints import describe_stack
    from serinus.infra.names import SETTINGS
    from serinus.infra.release import pinned_version
    from serinus.infra.settings import load_settings

    settings = load_settings(context.project / SETTINGS, context.environment)
    endpoint = next(item for item in settings.endpoints if item.name == name)
    deployed = template = None
    # The CDK CLI reports an unreachable cloud better, and a job that deploys may read no templates.
    with contextlib.suppress(CliError, botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError):
        deployed = describe_stack(context.target, stack)
        template = _template(context, stack) if deployed else None
    if deployed is None:
        return
    pinned = pinned_version(context.project, context.environment, endpoint.model)
    for problem in clashes(endpoint.settings, deployed, template, pinned):
        raise CliError(f"{name} cannot be deployed: {problem}")


def clashes(
    settings: EndpointSettings, deployed: "DeployedStack", template: dict[str, Any] | None, pinned: str | None
) -> Iterator[str]:
    """Each change that must be deployed in two steps, with the steps; ``pinned`` is the bundle to deploy, and
    ``template`` the stack's, None if it is unknown."""
    front, address = deployed.outputs.get(OUTPUTS.front), deployed.outputs.get(OUTPUTS.domain_url)
    if front not in (None, settings.front) and address == f"https://{settings.domain.name}":
        # CloudFormation creates the new API's domain before it deletes the old one's of the same name.
        yield (
            f'front changes from "{front}" to "{settings.front}" and the domain {settings.domain.name} stays, but '
            "CloudFormation would create the domain a second time. Remove [endpoint.NAME.domain] and deploy, "
            "change front and deploy, then add the domain again; callers use the API's own address meanwhile."
        )
    if template is None:
        return
    ready = settings.provisioned.environments if settings.cold_start == "provisioned" else None
    before = _ready_environments(template)
    if ready != before and pinned not in (None, deployed.outputs.get(OUTPUTS.model_version)):
        yield (
            f"the number of ready environments changes from {before or 0} to {ready or 0} and the bundle to "
            f"{(pinned or '')[:12]}, but Lambda rejects a change of the number while an alias moves. Deploy one "
            "of the two changes first."
        )


def _template(context: "CommandContext", stack: str) -> dict[str, Any] | None:
    cloudformation = context.target.client("cloudformation")
    body = cloudformation.get_template(StackName=stack, TemplateStage="Processed")["TemplateBody"]
    return body if isinstance(body, dict) else None


def _ready_environments(template: dict[str, Any]) -> int | None:
    """The number of environments that the template's alias keeps ready; None for none."""
    for resource in template.get("Resources", {}).values():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Lambda::Alias" and properties.get("Name") == ALIAS:
            config = properties.get("ProvisionedConcurrencyConfig") or {}
            count = config.get("ProvisionedConcurrentExecutions")
            return None if count is None else int(count)
    return None
