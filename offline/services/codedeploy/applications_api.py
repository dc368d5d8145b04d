"""The operations on applications, and on the tags of applications and groups."""

import uuid
from typing import Any

from serinus.offline.core.service import Call
from serinus.offline.core.tags import PairedTagOperations, from_pairs
from serinus.offline.services.codedeploy.base import (
    CodeDeployBase,
    check_name,
    fault,
    paged,
    require_lambda,
)
from serinus.offline.services.codedeploy.records import Application
from serinus.offline.services.codedeploy.shapes import application_info

MAX_BATCH = 100


class ApplicationsApi(PairedTagOperations, CodeDeployBase):
    """Applications of the Lambda compute platform."""

    async def create_application(self, call: Call) -> dict[str, Any]:
        name = call.params["applicationName"]
        check_name(name, "application", "InvalidApplicationNameException")
        require_lambda(call.params.get("computePlatform"), "CreateApplication")
        region = self.region(call.region)
        if name in region.applications:
            raise fault("ApplicationAlreadyExistsException", f"Application already exists: {name}")
        tags = from_pairs(call.params.get("tags"))
        application = Application(str(uuid.uuid4()), name, self.context.clock.time(), tags)
        region.applications[name] = application
        return {"applicationId": application.id}

    async def get_application(self, call: Call) -> dict[str, Any]:
        return {"application": application_info(self.application(call.region, call.params["applicationName"]))}

    async def batch_get_applications(self, call: Call) -> dict[str, Any]:
        names = call.params["applicationNames"]
        if len(names) > MAX_BATCH:
            raise fault("BatchLimitExceededException", f"{len(names)} names; at most {MAX_BATCH} are allowed.")
        applications = [self.application(call.region, name) for name in names]
        return {"applicationsInfo": [application_info(application) for application in applications]}

    async def list_applications(self, call: Call) -> dict[str, Any]:
        names, rest = paged(sorted(self.region(call.region).applications), call)
        return {"applications": names} | rest

    async def delete_application(self, call: Call) -> dict[str, Any]:
        name, region = call.params["applicationName"], self.region(call.region)
        check_name(name, "application", "InvalidApplicationNameException")
        region.applications.pop(name, None)
        for key in [key for key in region.groups if key[0] == name]:
            del region.groups[key]
        return {}

    def tags_of(self, call: Call) -> dict[str, str]:
        """The tags of the application or group of the call's ARN."""
        arn = call.params["ResourceArn"]
        prefix = self.arn(call.region, "")
        kind, _, name = arn.removeprefix(prefix).partition(":")
        if not arn.startswith(prefix) or kind not in ("application", "deploymentgroup"):
            raise fault("ArnNotSupportedException", f"{arn} is neither an application nor a deployment group.")
        if kind == "application":
            return self.application(call.region, name).tags
        application, _, group = name.partition("/")
        return self.group(call.region, application, group).tags
