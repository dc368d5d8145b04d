"""AWS::Lambda::Alias, whose update may be a CodeDeploy deployment."""

import asyncio
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from typing import Any

from serinus.offline.core.ports import DeploymentResult
from serinus.offline.core.readings import WEIGHTS_WITH_PROVISIONED
from serinus.offline.services.cloudformation.adapter import missing_ok
from serinus.offline.services.cloudformation.errors import ResourceFailed
from serinus.offline.services.cloudformation.intrinsics import plain
from serinus.offline.services.cloudformation.provider import ResourceRequest, ResourceState, ResourceType, words
from serinus.offline.services.cloudformation.resources.lambda_ import provisioned
from serinus.offline.services.cloudformation.resources.lambda_.alias_rollback import return_alias

POLL_S = 0.05
#: Moving the alias gives it weights until the new version's environments are ready; people then meet this.
#: No page names a message; people change one property a deployment.
SEVERAL = (
    "The alias {name} is shifted by CodeDeploy: its FunctionVersion and its {others} cannot change in one update "
    "(reading alias-several-properties)."
)


class LambdaAlias(ResourceType):
    type = "AWS::Lambda::Alias"
    modelled = words("Description FunctionName FunctionVersion Name ProvisionedConcurrencyConfig RoutingConfig")
    attributes = words("AliasArn")
    lasting = True

    def create(self, request: ResourceRequest) -> ResourceState:
        desired = request.properties
        arn = request.client("lambda").create_alias(**_members(desired))["AliasArn"]
        request.register_id(arn)
        provisioned.settle(request, desired["FunctionName"], desired["Name"])
        return ResourceState(arn, {"AliasArn": arn})

    def update(self, request: ResourceRequest) -> ResourceState:
        desired, previous = request.properties, request.previous or {}
        policy = request.update_policy.get("CodeDeployLambdaAliasUpdate")
        shifts = plain(desired["FunctionVersion"]) != plain(previous.get("FunctionVersion"))
        provides = "ProvisionedConcurrencyConfig" in desired and request.changed("ProvisionedConcurrencyConfig")
        readings = request.context.config.readings
        if shifts and provides and not request.rolling_back and readings.alias_with_provisioned == "refused":
            raise ResourceFailed(WEIGHTS_WITH_PROVISIONED)
        if request.rolling_back:
            return_alias(request, policy, deploy)
            update_directly(request)
        elif not (policy and shifts):
            update_directly(request)
        else:
            others = [name for name in ("Description", "RoutingConfig") if request.changed(name)]
            if others and readings.alias_several_properties == "refused":
                raise ResourceFailed(SEVERAL.format(name=desired["Name"], others=" and ".join(others)))
            deploy(request, policy, current=str(previous["FunctionVersion"]))
            if others and readings.alias_several_properties == "applied":
                update_directly(request)
        provisioned.settle(request, desired["FunctionName"], desired["Name"])
        return ResourceState(request.identity, request.attributes)

    def delete(self, request: ResourceRequest) -> None:
        function, name = request.identity.rsplit(":", 1)
        with missing_ok("ResourceNotFoundException"):
            request.client("lambda").delete_alias(FunctionName=function, Name=name)


def _members(properties: dict[str, Any]) -> dict[str, Any]:
    names = ("Description", "FunctionName", "FunctionVersion", "Name")
    parameters = {name: str(properties[name]) for name in names if name in properties}
    weights = (properties.get("RoutingConfig") or {}).get("AdditionalVersionWeights")
    if weights is None:
        return parameters
    shares = {str(item["FunctionVersion"]): float(item["FunctionWeight"]) for item in weights}
    return {**parameters, "RoutingConfig": {"AdditionalVersionWeights": shares}}


def update_directly(request: ResourceRequest) -> None:
    """Give the alias all of its properties at once."""
    routing = _members(request.properties)
    routing.setdefault("RoutingConfig", {"AdditionalVersionWeights": {}})
    routing.setdefault("Description", "")
    request.client("lambda").update_alias(**routing)


def deploy(request: ResourceRequest, policy: dict[str, Any], *, current: str) -> None:
    """Have CodeDeploy shift the alias from version ``current``; raises if the deployment fails."""
    loop = request.context.loop
    assert loop is not None
    deployment = request.engine.alias_deployer.deploy_alias(
        request.region,
        policy["ApplicationName"],
        policy["DeploymentGroupName"],
        function=request.properties["FunctionName"],
        alias=request.properties["Name"],
        current_version=current,
        target_version=str(request.properties["FunctionVersion"]),
        before_hook=policy.get("BeforeAllowTrafficHook"),
        after_hook=policy.get("AfterAllowTrafficHook"),
        progress=request.report,
        since=request.operation_started,
    )
    result = _wait(request, policy, asyncio.run_coroutine_threadsafe(deployment, loop))
    if result.status != "Succeeded":
        raise ResourceFailed(f"CodeDeploy deployment {result.deployment_id} {result.status}: {result.message}")


def _wait(
    request: ResourceRequest, policy: dict[str, Any], running: "Future[DeploymentResult]"
) -> DeploymentResult:
    """The deployment's result; stops the deployment if the stack operation has failed elsewhere."""
    stopped = False
    with request.context.clock.waiting_for(running):
        while True:
            try:
                return running.result(POLL_S)
            except NotYet:
                if request.cancelled.is_set() and not stopped:
                    stopped = True
                    _stop(request.client("codedeploy"), policy)


def _stop(client: Any, policy: dict[str, Any]) -> None:
    alias_names = {
        "applicationName": policy["ApplicationName"],
        "deploymentGroupName": policy["DeploymentGroupName"],
    }
    for deployment in client.list_deployments(**alias_names, includeOnlyStatuses=["InProgress"])["deployments"]:
        client.stop_deployment(deploymentId=deployment, autoRollbackEnabled=True)
