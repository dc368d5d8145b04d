"""The operations on deployment configurations."""

import uuid
from typing import Any

from serinus.offline.core.service import Call
from serinus.offline.services.codedeploy.base import (
    CodeDeployBase,
    check_name,
    fault,
    paged,
    refuse_members,
    require_lambda,
)
from serinus.offline.services.codedeploy.records import DeploymentConfig
from serinus.offline.services.codedeploy.shapes import config_info
from serinus.offline.services.codedeploy.traffic import PREFIX, check_routing

MAX_CONFIGS = 200
INVALID_NAME = "InvalidDeploymentConfigNameException"


class ConfigsApi(CodeDeployBase):
    """Deployment configurations of the Lambda compute platform."""

    async def create_deployment_config(self, call: Call) -> dict[str, Any]:
        params, region = call.params, self.region(call.region)
        name = params["deploymentConfigName"]
        check_name(name, "deployment configuration", INVALID_NAME)
        if name.startswith(PREFIX):
            raise fault(INVALID_NAME, f"The name {name} begins with {PREFIX}, which is reserved.")
        require_lambda(params.get("computePlatform"), "CreateDeploymentConfig")
        refuse_members(call, ["minimumHealthyHosts", "zonalConfig"])
        if name in region.configs:
            raise fault(
                "DeploymentConfigAlreadyExistsException", f"Deployment Configuration already exists: {name}"
            )
        if sum(not known.startswith(PREFIX) for known in region.configs) >= MAX_CONFIGS:
            raise fault(
                "DeploymentConfigLimitExceededException", f"There are already {MAX_CONFIGS} configurations."
            )
        routing = params.get("trafficRoutingConfig", {})
        check_routing(routing)
        config = DeploymentConfig(str(uuid.uuid4()), name, routing, self.context.clock.time())
        region.configs[name] = config
        return {"deploymentConfigId": config.id}

    async def get_deployment_config(self, call: Call) -> dict[str, Any]:
        return {"deploymentConfigInfo": config_info(self.config(call.region, call.params["deploymentConfigName"]))}

    async def list_deployment_configs(self, call: Call) -> dict[str, Any]:
        names, rest = paged(list(self.region(call.region).configs), call)
        return {"deploymentConfigsList": names} | rest

    async def delete_deployment_config(self, call: Call) -> dict[str, Any]:
        name, region = call.params["deploymentConfigName"], self.region(call.region)
        check_name(name, "deployment configuration", INVALID_NAME)
        if name.startswith(PREFIX):
            raise fault("InvalidOperationException", f"{name} is predefined and cannot be deleted.")
        users = [group.name for group in region.groups.values() if group.settings["deploymentConfigName"] == name]
        if users:
            raise fault(
                "DeploymentConfigInUseException", f"{name} is used by the deployment groups {', '.join(users)}."
            )
        region.configs.pop(name, None)
        return {}

    def config(self, region: str, name: str) -> DeploymentConfig:
        """The configuration; raises AWS's error for a malformed or unknown name."""
        check_name(name, "deployment configuration", INVALID_NAME)
        existing = self.region(region).configs.get(name)
        if existing is None:
            raise fault(
                "DeploymentConfigDoesNotExistException", f"No deployment configuration found for name: {name}"
            )
        return existing
