"""Where a command that looks at endpoints stands: project, environment, cloud, and what time it is there."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cli.project import SETTINGS, find_project
from cli.target import Target, choose, choose_running, environment_for


@dataclass(frozen=True, slots=True)
class Place:
    """A project, one of its environments, and the cloud that is asked."""

    project: Path
    environment: str
    target: Target

    @property
    def here(self) -> str:
        """`options` with which another command stands here too."""
        return options(self.environment, local=self.target.cloud is not None)

    def now(self) -> datetime:
        """The time there: an offline cloud's own, which may run ahead."""
        return datetime.fromtimestamp(cloud_time(self.target), UTC)


def options(environment: str, *, local: bool) -> str:
    """What is added to a command, after a space, for it to act at this place."""
    return " --local" if local else f" --env {environment}"


def stand(environment: str | None, *, local: bool, port: int | None) -> Place:
    """The place that a command's options name, in the region of the environment; raises `CliError` where it is an
    offline cloud and none runs."""
    project = find_project()
    return _place(project, choose(project, local=local, port=port), environment)


def stand_where_it_runs(environment: str | None, *, local: bool, port: int | None) -> Place:
    """Like `stand`, but an offline cloud that runs is preferred; see `choose_running`."""
    project = find_project()
    return _place(project, choose_running(project, local=local, port=port), environment)


def _place(project: Path, target: Target, environment: str | None) -> Place:
    chosen = environment_for(target, environment)
    return Place(project, chosen, target if target.cloud else Target(None, region_of(project, chosen)))


def region_of(project: Path, environment: str) -> str | None:
    """The region that serinus.toml gives ``environment``; None leaves it to the user's AWS settings."""
    from infra.settings import load_settings

    return load_settings(project / SETTINGS, environment).region


def cloud_time(target: Target) -> float:
    """Epoch seconds at ``target``."""
    if target.cloud is None:
        return time.time()
    return float(target.cloud.own_api().get("/clock").raise_for_status().json()["epoch_s"])
