"""The report: one self-contained page, with the result in words first and the figures behind it below."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from serinus.cli.page_template import render_page
from serinus.cli.rehearse.figures import errors_plot, latency_plot, share_plot
from serinus.cli.rehearse.outcome import NOT_NAMED, RehearsalOutcome, RehearsalResult
from serinus.cli.rehearse.record import RehearsalRecord
from serinus.cli.rehearse.series import UNNAMED, bucket_minutes, buckets, minutes_since_release
from serinus.cli.rehearse.summary import headline, summary
from serinus.cli.rehearse.timeline import timeline_events

_TEMPLATE = Path(__file__).with_name("page.html.j2")
#: Real seconds that cloud time was held above which the footer mentions it.
_WORTH_MENTIONING_S = 0.5
_TONES = {
    RehearsalOutcome.PROMOTED: "good",
    RehearsalOutcome.ROLLED_BACK: "bad",
    RehearsalOutcome.NOT_ENOUGH_EVIDENCE: "unsure",
    RehearsalOutcome.JUDGED_TOO_LATE: "bad",
}


def render(record: RehearsalRecord, result: RehearsalResult) -> str:
    """The page's HTML; it refers to no other file and no host."""
    series, events = buckets(record, bucket_minutes(record)), timeline_events(record)
    return render_page(
        _TEMPLATE,
        endpoint=record.settings.endpoint,
        headline=headline(result),
        tone=_TONES[result.outcome],
        subtitle=_subtitle(record),
        sentences=summary(record, result),
        figures=list(_figures(result)),
        timeline=[(event.tone, _clock(event.minute * 60), event.text) for event in events],
        plots=[plot(record, events, series) for plot in (share_plot, errors_plot, latency_plot)],
        observed=[
            (_clock(minutes_since_release(record, event.at) * 60), event.kind, event.tone, event.text)
            for event in record.observed
        ],
        requests=_request_table(record, result),
        footer=" ".join(_footer(record)),
    )


def _subtitle(record: RehearsalRecord) -> str:
    settings = record.settings
    fault = f", with an injected fault: {settings.injected}" if settings.injected else ""
    strategy = settings.strategy.replace("_", " ")
    return f"Rehearsal of {settings.endpoint} ({settings.environment}), strategy {strategy}{fault}"


def _figures(result: RehearsalResult) -> Iterator[tuple[str, str]]:
    yield f"{result.requests:,}", "requests sent by clients"
    yield f"{result.failed:,}" if result.failed else "none", "of them failed or got no response"
    if result.shift_requests:
        share = result.canary_share
        weight = f"; its weight was {share.weight:.0%}" if share else ""
        yield f"{result.shift_canary_share:.1%}", f"of requests during the shift reached the new version{weight}"
    elif result.outcome is RehearsalOutcome.ROLLED_BACK:
        yield "none", "of the requests reached the new version"
    else:
        yield "all", "requests after the shift reached the new version, which got all traffic at once"
    if result.shift_minutes:
        yield f"{result.shift_minutes:.1f} min", "from the first shifted request to the end of the shift"
    if result.recovery_minutes is not None:
        yield f"{result.recovery_minutes:.1f} min", "from the first bad response to the end of the rollback"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60:d}:{int(seconds) % 60:02d}"


def _request_table(record: RehearsalRecord, result: RehearsalResult) -> dict[str, Any]:
    statuses = sorted({status for counted in result.by_version.values() for status in counted})
    rows = [
        (
            _describe_version(record, version),
            [counted.get(status, 0) for status in statuses],
            sum(counted.values()),
        )
        for version, counted in result.by_version.items()
    ]
    return {"heads": [_describe_status(status) for status in statuses], "rows": rows}


def _describe_status(status: str) -> str:
    if not status.isdecimal():
        return status
    return f"{'answered' if status < '400' else 'refused' if status < '500' else 'failed'} ({status})"


def _describe_version(record: RehearsalRecord, version: str) -> str:
    if version == NOT_NAMED:
        return UNNAMED
    settings = record.settings
    model = {record.stable: settings.stable_model, record.canary: settings.candidate_model}.get(version, "")
    role = {record.stable: "live before", record.canary: "new"}.get(version, "")
    return f"version {version}, {role}, model {model}" if role else version


def _footer(record: RehearsalRecord) -> Iterator[str]:
    settings = record.settings
    pace = (
        f"{settings.rate:g} requests per cloud minute in batches, skipping the time between"
        if settings.speed is None
        else f"{settings.rate:g} requests per second, {settings.speed:g} cloud seconds per real second"
    )
    yield f"Rehearsed in an offline cloud on one machine: {pace}; metrics lag as on AWS."
    yield "Function and model are the zips that would go to AWS; the runtime layer is their twin for this machine."
    if record.unsent:
        yield f"{record.unsent} requests were not sent because this machine was busy."
    if record.slowed_s:
        yield f"Cloud time was slowed for {record.slowed_s:.1f} s while this machine was busy."
    if record.held_s >= _WORTH_MENTIONING_S:
        yield f"Cloud time waited {record.held_s:.1f} s for functions that this machine was slow to run."
    if settings.seed is not None:
        yield f"Seed {settings.seed}."
