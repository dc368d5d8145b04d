"""CodeDeploy of the offline cloud, for Lambda functions."""

from serinus.offline.services.codedeploy.service import CodeDeploy, DeploymentResult

__all__ = ["CodeDeploy", "DeploymentResult"]
