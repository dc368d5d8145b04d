"""CloudWatch: metrics, embedded metrics, alarms and dashboards."""

from serinus.offline.services.cloudwatch.service import CloudWatch

__all__ = ["CloudWatch"]
