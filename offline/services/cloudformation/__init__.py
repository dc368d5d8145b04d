"""CloudFormation: the engine, change sets and the modelled resource types."""

from serinus.offline.services.cloudformation.service import CloudFormation

__all__ = ["CloudFormation"]
