"""Lambda in CloudFormation."""

from offline.services.cloudformation.provider import ResourceType
from offline.services.cloudformation.resources.lambda_.alias import Alias
from offline.services.cloudformation.resources.lambda_.function import Function
from offline.services.cloudformation.resources.lambda_.invocation import EventInvokeConfig, EventSourceMapping
from offline.services.cloudformation.resources.lambda_.layer import LayerVersion, LayerVersionPermission
from offline.services.cloudformation.resources.lambda_.permission import Permission
from offline.services.cloudformation.resources.lambda_.version import Version

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
