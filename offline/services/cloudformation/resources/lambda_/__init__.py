"""Lambda in CloudFormation."""

from serinus.offline.services.cloudformation.provider import ResourceType
from serinus.offline.services.cloudformation.resources.lambda_.alias import LambdaAlias
from serinus.offline.services.cloudformation.resources.lambda_.function import LambdaFunction
from serinus.offline.services.cloudformation.resources.lambda_.invocation import (
    EventSourceMapping,
    LambdaEventInvokeConfig,
)
from serinus.offline.services.cloudformation.resources.lambda_.layer import (
    LambdaLayerVersion,
    LayerVersionPermission,
)
from serinus.offline.services.cloudformation.resources.lambda_.permission import Permission
from serinus.offline.services.cloudformation.resources.lambda_.version import Version

TYPES: tuple[type[ResourceType], ...] = (
    LambdaAlias,
    LambdaEventInvokeConfig,
    EventSourceMapping,
    LambdaFunction,
    LambdaLayerVersion,
    LayerVersionPermission,
    Permission,
    Version,
)
