"""Application Auto Scaling: schedules that change how many environments an alias keeps ready."""

from serinus.offline.services.applicationautoscaling.service import ApplicationAutoScaling

__all__ = ["ApplicationAutoScaling"]
