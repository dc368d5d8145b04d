"""CloudFormation of this cloud: engine, change sets and the resource types that it models."""

from serinus.offline.services.cloudformation.service import CloudFormation

__all__ = ["CloudFormation"]
