"""Connects services to ports. An unconnected port fails here, when the cloud is created."""

from serinus.offline.authorization.authorizer import Authorizer
from serinus.offline.cloud.registry import Services
from serinus.offline.core.ports import Ports


def connect(services: Services, authorizer: Authorizer) -> None:
    """Connect every service, and the authorizer, to the ports that it uses."""
    ports = Ports(
        functions=services.lambda_,
        function_aliases=services.lambda_,
        function_roles=authorizer,
        metrics=services.cloudwatch,
        log_subscribers=services.logs,
        alarms=services.cloudwatch,
        events=services.events,
        alias_deployer=services.codedeploy,
        deployment_groups=services.codedeploy,
        web_acls=services.wafv2,
        rest_stages=services.apigateway,
    )
    authorizer.connect(ports)
    for service in services.by_name.values():
        service.connect(ports)
