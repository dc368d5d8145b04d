"""The resource types that this cloud models, by name."""

from serinus.offline.services.cloudformation.provider import ResourceType
from serinus.offline.services.cloudformation.resources import RESOURCE_TYPES

_TYPES: dict[str, ResourceType] = {cls.type: cls() for cls in RESOURCE_TYPES}


def type_of(type_name: str) -> ResourceType | None:
    """The model of a type, or None if it is not modelled. ``Custom::X`` is a CustomResource."""
    if type_name.startswith("Custom::"):
        type_name = "AWS::CloudFormation::CustomResource"
    return _TYPES.get(type_name)
