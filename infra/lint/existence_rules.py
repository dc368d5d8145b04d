"""Whether each endpoint has a bundle to deploy: what a deploy leaves out, and what it must not leave out."""

from collections.abc import Iterator
from pathlib import Path

from serinus.infra.errors import ReleaseError
from serinus.infra.lint.finding import Problem
from serinus.infra.release import is_pinned, split_by_pin, unpinned_advice
from serinus.infra.settings import Endpoint, Settings
from serinus.lambda_handlers.contract.lock import LOCK


def check_required(project: Path, settings: Settings, endpoint: Endpoint) -> Iterator[Problem]:
    """An endpoint that the settings require here, without a bundle. A damaged lock is synth's to report."""
    if not endpoint.is_required:
        return
    try:
        if is_pinned(project, settings.environment, endpoint.model):
            return
        advice = unpinned_advice(project, settings.environment, endpoint.model)
    except ReleaseError:
        return
    yield Problem(
        "error",
        ("environments",),
        f"it lists {settings.environment}, for which {LOCK} pins no bundle of model {endpoint.model}",
        advice,
    )


def find_left_out(project: Path, settings: Settings) -> Iterator[tuple[Endpoint, Problem]]:
    """Each endpoint that a deploy of the environment leaves out. A damaged lock is synth's to report."""
    try:
        _, left_out = split_by_pin(project, settings)
        for endpoint in left_out:
            yield (
                endpoint,
                Problem(
                    "note",
                    (),
                    f"it is left out of {settings.environment}, for which {LOCK} pins no bundle of model "
                    f"{endpoint.model}",
                    unpinned_advice(project, settings.environment, endpoint.model),
                ),
            )
    except ReleaseError:
        return
