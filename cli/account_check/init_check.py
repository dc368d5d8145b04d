"""How much longer the first init of a published version takes than a later one, from the function's log lines."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import botocore.exceptions

from serinus.cli.account_check.alias_checks import REQUEST_EVENT
from serinus.cli.account_check.session import CheckSession
from serinus.cli.log_lines import read_line
from serinus.infra.names import log_group_name

#: After so long without a request Lambda has usually removed an environment; so has the offline cloud.
IDLE_S = 20 * 60.0
#: Requests at once, each of which needs an environment, and inits after which one counts as later.
AT_ONCE, FETCHING_INITS = 14, 11
_RESOLUTION_S = 0.3


def observe_first_init(session: CheckSession, version: str) -> None:
    """Observe first-init-delay on ``version``, which nothing calls any more. Many inits at once come in between:
    code and layers may be fetched by more than the first."""
    first = dict(_inits(session, version))
    if not first:
        session.observe("first-init-delay", None, f"the log has no init of version {version}")
        return
    _idle(session)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda _: _invoke(session, version), range(AT_ONCE)))

    def logged() -> dict[int, float] | None:
        inits = dict(_inits(session, version))
        return inits if len(inits) >= FETCHING_INITS else None

    between = session.waiting.until(logged, 120.0, every_s=2.0, what="the log of inits")
    if between is None:
        inits = len(dict(_inits(session, version)))
        session.observe(
            "first-init-delay", None, f"version {version} had {inits} inits, too few to know a later one"
        )
        return
    _idle(session)
    _invoke(session, version)

    def later() -> float | None:
        new = [ms for at, ms in _inits(session, version) if at not in between]
        return new[0] if new else None

    later_ms = session.waiting.until(later, 120.0, every_s=2.0, what="the log of an init")
    if later_ms is None:
        session.observe(
            "first-init-delay", None, f"version {version} still had an environment after {IDLE_S / 60:.0f} minutes"
        )
        return
    first_ms = first[min(first)]
    longer_s = (first_ms - later_ms) / 1000
    session.observe(
        "first-init-delay",
        f"{longer_s:.1f}" if longer_s > _RESOLUTION_S else "0",
        f"init of version {version}: {first_ms:.0f} ms at first, {later_ms:.0f} ms after {len(between)} inits",
    )


def _idle(session: CheckSession) -> None:
    session.waiting.pass_time(IDLE_S, every_s=30.0)


def _invoke(session: CheckSession, version: str) -> None:
    session.client("lambda").invoke(FunctionName=session.stack, Qualifier=version, Payload=REQUEST_EVENT)


def _inits(session: CheckSession, version: str) -> Iterator[tuple[int, float]]:
    """When each init of ``version`` was logged (epoch ms), and its milliseconds."""
    tail = session.client("logs").get_paginator("filter_log_events")
    group = log_group_name(session.stack)
    try:
        for page in tail.paginate(logGroupName=group):
            for event in page["events"]:
                entry = read_line(event["timestamp"] / 1000, group, event["message"])
                if entry.init_ms is not None and entry.version == version:
                    yield event["timestamp"], entry.init_ms
    except botocore.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
