"""Whether the monitor can compare what its settings name. Bundles that are not pinned are synth's to report."""

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from serinus.infra.errors import ReleaseError
from serinus.infra.lint.finding import Problem
from serinus.infra.release import pinned_bundle
from serinus.infra.settings import Endpoint, Settings
from serinus.lambda_handlers.contract.bundle import read_baseline
from serinus.lambda_handlers.contract.errors import ContractError
from serinus.lambda_handlers.contract.monitored import KEY, Monitored


def check_monitored(project: Path, settings: Settings, endpoint: Endpoint) -> Iterator[Problem]:
    """Columns to ignore that the bundle does not have, and a bundle of which nothing can be compared."""
    monitor = endpoint.settings.monitor
    if not monitor.enabled:
        return
    try:
        monitored = _monitored(pinned_bundle(project, settings.environment, endpoint.model))
    except ReleaseError:
        return
    except ContractError as error:
        yield Problem("error", ("monitor",), str(error), f"Package {endpoint.model} again")
        return
    if monitored is None or not any(column.bands for column in monitored.columns):
        yield Problem(
            "warning",
            ("monitor", "enabled"),
            "the pinned bundle has no column that can be compared, so nothing is monitored but refused requests",
            f"Package {endpoint.model} with a larger sample, or set enabled = false",
        )
        return
    names = sorted({column.name for column in monitored.columns} | set(monitored.unwatched))
    for name in monitor.ignore:
        if name not in names:
            close = get_close_matches(name, names, 1)
            meant = f"did you mean {close[0]!r}?" if close else f"it has {', '.join(names[:20])}"
            yield Problem(
                "error",
                ("monitor", "ignore"),
                f"the model has no column {name!r}",
                f"Name one that it has: {meant}",
            )
    if set(monitor.ignore) >= {column.name for column in monitored.columns if column.bands}:
        yield Problem(
            "warning",
            ("monitor", "ignore"),
            "it names every column that can be compared, so nothing is monitored but refused requests",
            "Name fewer, or set enabled = false",
        )


def _monitored(bundle: Path) -> Monitored | None:
    """The monitored columns of a bundle; None if it has none. Raises `ContractError` for damaged ones."""
    data = read_baseline(bundle).get(KEY)
    return Monitored.from_json(data) if data else None
