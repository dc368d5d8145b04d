"""The report: one page that needs nothing else, with the verdict in words first and what bears it out below."""

from collections.abc import Iterator, Sequence
from html import escape
from importlib.resources import files
from string import Template

from serinus.cli.rehearse.figures import errors_plot, latency_plot, share_plot
from serinus.cli.rehearse.outcome import NOT_NAMED, Outcome, Story
from serinus.cli.rehearse.record import Record
from serinus.cli.rehearse.series import UNNAMED, bucket_minutes, buckets, minutes_since_release
from serinus.cli.rehearse.summary import headline, summary
from serinus.cli.rehearse.timeline import Moment, moments

#: Real seconds of waiting from which on it is worth a sentence.
_TOLD_FROM_S = 0.5
_TONES = {
    Outcome.PROMOTED: "good",
    Outcome.ROLLED_BACK: "bad",
    Outcome.NOT_ENOUGH_EVIDENCE: "unsure",
    Outcome.JUDGED_TOO_LATE: "bad",
}


def render(record: Record, story: Story) -> str:
    """The page's HTML; it refers to no other file and no host."""
    template = Template((files("serinus.cli.rehearse") / "page.html").read_text(encoding="utf-8"))
    series, marked = buckets(record, bucket_minutes(record)), moments(record)
    plots = [plot(record, marked, series) for plot in (share_plot, errors_plot, latency_plot)]
    return template.substitute(
        endpoint=escape(record.play.endpoint),
        headline=headline(story),
        tone=_TONES[story.outcome],
        eyebrow=escape(_eyebrow(record)),
        summary="".join(f'<p class="summary">{escape(sentence)}</p>' for sentence in summary(record, story)),
        figures="".join(
            f'<div class="figure"><b>{value}</b><span>{label}</span></div>' for value, label in _figures(story)
        ),
        moments="".join(_moment_rows(marked)),
        plots="".join(plots),
        events="".join(_event_rows(record)),
        requests="".join(_request_rows(record, story)),
        footer=escape(_footer(record)),
    )


def _eyebrow(record: Record) -> str:
    play = record.play
    fault = f", with an ordered fault: {play.injected}" if play.injected else ""
    return f"Rehearsal of {play.endpoint} ({play.environment}), strategy {play.strategy.replace('_', ' ')}{fault}"


def _figures(story: Story) -> Iterator[tuple[str, str]]:
    yield f"{story.requests:,}", "requests sent by clients"
    yield f"{story.failed:,}" if story.failed else "none", "of them failed or got no answer"
    if story.during_shift:
        share = story.canary_share
        beside = f", its weight was {share.weight:.0%}" if share else ""
        yield f"{story.met_share:.1%}", f"of requests during the shift met the new version{beside}"
    else:
        yield "none", "of the requests met the new version"
    if story.shift_minutes is not None:
        yield f"{story.shift_minutes:.1f} min", "from the first shifted request to the end of the shift"
    if story.minutes_bad_to_back is not None:
        yield f"{story.minutes_bad_to_back:.1f} min", "from the first bad answer to the alias being back"


def _moment_rows(marked: Sequence[Moment]) -> Iterator[str]:
    for number, one in enumerate(marked, start=1):
        yield (
            f'<li><i class="badge {one.tone}">{number}</i><span class="when">{_clock(one.minute * 60)}</span>'
            f"<span>{escape(one.text)}</span></li>"
        )


def _event_rows(record: Record) -> Iterator[str]:
    for one in record.happenings:
        when = _clock(minutes_since_release(record, one.at) * 60)
        yield (
            f'<tr><td class="when number">{when}</td><td class="kind">{one.kind}</td>'
            f'<td class="{one.tone}">{escape(one.text)}</td></tr>'
        )


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60:d}:{int(seconds) % 60:02d}"


def _request_rows(record: Record, story: Story) -> Iterator[str]:
    statuses = sorted({status for counted in story.by_version.values() for status in counted})
    heads = "".join(f'<th class="number">{escape(_answer(status))}</th>' for status in statuses)
    yield f'<tr><th>Version</th>{heads}<th class="number">all</th></tr>'
    for version, counted in story.by_version.items():
        cells = "".join(f'<td class="number">{counted.get(status, 0):,}</td>' for status in statuses)
        total = f'<td class="number">{sum(counted.values()):,}</td>'
        yield f"<tr><td>{escape(_name(record, version))}</td>{cells}{total}</tr>"


def _answer(status: str) -> str:
    if not status.isdecimal():
        return status
    return f"{'answered' if status < '400' else 'refused' if status < '500' else 'failed'} ({status})"


def _name(record: Record, version: str) -> str:
    if version == NOT_NAMED:
        return UNNAMED
    model = {record.stable: record.play.stable_model, record.canary: record.play.candidate_model}.get(version, "")
    role = {record.stable: "live before", record.canary: "new"}.get(version, "")
    return f"version {version}, {role}, model {model}" if role else version


def _footer(record: Record) -> str:
    play = record.play
    said = [
        f"Rehearsed in an offline cloud on one machine: {play.rate:g} requests a second, {play.speed:g} cloud "
        "seconds in each; metrics lag as on AWS.",
        "Function and model are the zips that would go to AWS; the runtime layer is their twin for this machine.",
    ]
    if record.held_back:
        said.append(f"{record.held_back} requests were not sent because this machine was busy.")
    if record.slowed_s:
        said.append(f"Cloud time was slowed for {record.slowed_s:.1f} s while this machine was busy.")
    if record.held_s >= _TOLD_FROM_S:
        said.append(f"Cloud time waited {record.held_s:.1f} s for functions that this machine was slow to run.")
    if play.seed is not None:
        said.append(f"Seed {play.seed}.")
    return " ".join(said)
