"""The report: one page that needs nothing else, with the verdict in words first and what bears it out below."""

from collections.abc import Iterator
from html import escape
from importlib.resources import files
from string import Template

from cli.rehearse.figures import errors_plot, events_plot, latency_plot, share_plot
from cli.rehearse.record import Record
from cli.rehearse.series import bucket_minutes, buckets, minutes_since_release
from cli.rehearse.story import NOT_NAMED, Outcome, Story
from cli.rehearse.wording import headline, summary

_TONES = {Outcome.PROMOTED: "good", Outcome.ROLLED_BACK: "bad", Outcome.NOT_ENOUGH_EVIDENCE: "unsure"}


def render(record: Record, story: Story) -> str:
    """The page's HTML; it refers to no other file and no host."""
    template = Template((files("cli.rehearse") / "page.html").read_text(encoding="utf-8"))
    width = bucket_minutes(record)
    series = buckets(record, width)
    plots = [
        share_plot(record, series),
        errors_plot(record, series, width),
        latency_plot(record, series, width),
        events_plot(record),
    ]
    return template.substitute(
        endpoint=escape(record.play.endpoint),
        headline=headline(story),
        tone=_TONES[story.outcome],
        eyebrow=escape(_eyebrow(record)),
        summary="".join(f'<p class="summary">{escape(sentence)}</p>' for sentence in summary(record, story)),
        figures="".join(
            f"<div class=figure><b>{value}</b><span>{label}</span></div>" for value, label in _figures(story)
        ),
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
    yield f"{story.failed:,}", "of them failed or got no answer"
    if story.during_shift:
        share = story.canary_share
        beside = f", its weight was {share.weight:.0%}" if share else ""
        yield f"{story.met_share:.1%}", f"of requests during the shift met the candidate{beside}"
    else:
        yield "none", "of the requests met the candidate"
    if story.shift_minutes is not None:
        yield f"{story.shift_minutes:.1f} min", "from the first shifted request to the end of the shift"
    if story.minutes_bad_to_back is not None:
        yield f"{story.minutes_bad_to_back:.1f} min", "from the first bad answer to the alias being back"


def _figure(value: str, label: str) -> str:
    return f'<div class="figure"><b>{value}</b><span>{label}</span></div>'


def _event_rows(record: Record) -> Iterator[str]:
    for one in record.happenings:
        seconds = int(minutes_since_release(record, one.at) * 60)
        when = f"{seconds // 60:d}:{seconds % 60:02d}"
        yield (
            f'<tr><td class="when number">{when}</td><td class="kind">{one.kind}</td>'
            f'<td class="{one.tone}">{escape(one.text)}</td></tr>'
        )


def _request_rows(record: Record, story: Story) -> Iterator[str]:
    statuses = sorted({status for counted in story.by_version.values() for status in counted})
    heads = "".join(f'<th class="number">{escape(status)}</th>' for status in statuses)
    yield f'<tr><th>Version</th>{heads}<th class="number">all</th></tr>'
    for version, counted in story.by_version.items():
        cells = "".join(f'<td class="number">{counted.get(status, 0):,}</td>' for status in statuses)
        total = f'<td class="number">{sum(counted.values()):,}</td>'
        yield f"<tr><td>{escape(_name(record, version))}</td>{cells}{total}</tr>"


def _name(record: Record, version: str) -> str:
    if version == NOT_NAMED:
        return "answer names none (API Gateway's own error)"
    model = {record.stable: record.play.stable_model, record.canary: record.play.candidate_model}.get(version, "")
    role = {record.stable: "stable", record.canary: "candidate"}.get(version, "")
    return f"{version}, {role}, model {model}" if role else version


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
    if play.seed is not None:
        said.append(f"Seed {play.seed}.")
    return " ".join(said)
