"""CodeDeploy, for Lambda functions."""

from serinus.offline.services.codedeploy.service import CodeDeploy

__all__ = ["CodeDeploy"]
