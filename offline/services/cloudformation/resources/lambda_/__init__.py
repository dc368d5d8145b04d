"""Lambda in CloudFormation."""

from serinus.offline.services.cloudformation.provider import ResourceType
from serinus.offline.services.cloudformation.resources.lambda_.alias import Alias
from serinus.offline.services.cloudformation.resources.lambda_.function import Function
from serinus.offline.services.cloudformation.resources.lambda_.invocation import (
    EventInvokeConfig,
    EventSourceMapping,
)
from serinus.offline.services.cloudformation.resources.lambda_.layer import LayerVersion, LayerVersionPermission
from serinus.offline.services.cloudformation.resources.lambda_.permission import Permission
from serinus.offline.services.cloudformation.resources.lambda_.version import Version

TYPES: tuple[type[ResourceType], ...] = (
    Alias,
    EventInvokeConfig,
    EventSourceMapping,
    Function,
    LayerVersion,
    LayerVersionPermission,
    Permission,
    Version,
)
