"""A simulation as plain data, for `--json`."""

from typing import Any

from serinus.cli.simulate.outcome import SimulationResult
from serinus.cli.simulate.record import SimulationRecord


def as_data(record: SimulationRecord, result: SimulationResult, seed: int) -> dict[str, Any]:
    """The outcome, each drift with its delay, the findings by hour, and the monitor's last report."""
    return {
        "outcome": result.outcome.name.lower(),
        "summary": result.summary,
        "seed": seed,
        "days": record.days,
        "rows": record.sent_rows,
        "failed_requests": record.failed_requests,
        "drifts": [
            {
                "drift": str(item.drift),
                "found_after_hours": item.delay_hours,
                "alarm_hour": item.alarm_hour,
                "text": item.text,
            }
            for item in result.drifts
        ],
        "false_findings": list(result.false_findings),
        "hours": [
            {
                "hour": one.hour,
                "rows": one.rows,
                "evidence": one.evidence,
                "alarm": one.alarm,
                "findings": [finding["text"] for finding in one.findings],
            }
            for one in record.hours
        ],
        "report": record.report,
        "seconds": record.seconds,
    }
