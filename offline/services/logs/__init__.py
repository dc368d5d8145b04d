"""CloudWatch Logs: subscription filters and PutLogEvents of our own, the rest moto's."""

from serinus.offline.services.logs.service import Logs

__all__ = ["Logs"]
