"""Reads the monitor's bucket: reports, hours' sums and references, on AWS and offline alike."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from serinus.cli.context import CommandContext
from serinus.cli.endpoints import describe_stack, stack_names
from serinus.cli.errors import CliError
from serinus.infra.names import SHARED_OUTPUTS, shared_stack_name

if TYPE_CHECKING:
    from serinus.lambda_handlers.monitoring.store import Store


@dataclass(frozen=True, slots=True)
class MonitorBucket:
    """The bucket of an environment's monitor: ``store`` reads and writes it, ``name`` is its name, ``monitor`` the
    monitor's function."""

    name: str
    store: "Store"
    monitor: str

    def latest(self, function: str) -> dict[str, Any] | None:
        """The latest report on the endpoint of ``function``; None before the first look."""
        return self.store.get_report(function, "latest")


def open_bucket(context: CommandContext, project_name: str) -> MonitorBucket:
    """The bucket of the environment's monitor. Raises `CliError` where nothing is monitored."""
    from serinus.lambda_handlers.monitoring.store import Store

    stack = describe_stack(context.target, shared_stack_name(project_name, context.environment))
    outputs = stack.outputs if stack else {}
    bucket = outputs.get(SHARED_OUTPUTS.bucket)
    if bucket is None:
        raise CliError(
            f"environment {context.environment} has no monitor on {context.target.name}. Set enabled = true in "
            "[endpoint.NAME.monitor] or [defaults.monitor] of serinus.toml, and deploy."
        )
    store = Store(context.target.client("s3"), bucket)
    return MonitorBucket(bucket, store, outputs[SHARED_OUTPUTS.monitor])


def functions_of(context: CommandContext, requested: list[str]) -> dict[str, str]:
    """The functions of the requested endpoints, or of all, by endpoint."""
    return stack_names(context.project, context.environment, requested)


def read_report(bucket: MonitorBucket, endpoint: str, function: str, day: str | None = None) -> dict[str, Any]:
    """The latest report on ``endpoint``, or that of a ``day`` (YYYY-MM-DD). Raises `CliError` where there is
    none."""
    if day is not None:
        try:
            datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC)
        except ValueError:
            raise CliError(f"--day {day} is not a date. Write it as 2026-11-30.") from None
    report = bucket.store.get_report(function, day or "latest")
    if report is None:
        when = f"of {day}" if day else "yet"
        raise CliError(
            f"there is no report on {endpoint} {when}. The monitor looks ten minutes after each hour and writes "
            f"to bucket {bucket.name}."
        )
    return report
