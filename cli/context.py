"""Where a command that looks at endpoints stands: project, environment, cloud, and what time it is there."""

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from serinus.cli.console import notice
from serinus.cli.project import SETTINGS, find_project
from serinus.cli.target import Target, choose, choose_by_name, environment_for
from serinus.infra.names import LOCAL_ENVIRONMENT

if TYPE_CHECKING:
    from serinus.infra.settings import Settings


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
    named = "" if local and environment == LOCAL_ENVIRONMENT else f" --env {environment}"
    return f" --local{named}" if local else named


def stand(environment: str | None, *, local: bool, port: int | None) -> Place:
    """The place that a command's options name, in the region of the environment; raises `CliError` where it is an
    offline cloud and none runs. Where it is AWS, the user is told so before anything is done there."""
    project = find_project()
    return _place(project, choose(project, environment, local=local, port=port), environment)


def stand_by_name(environment: str | None, *, local: bool, port: int | None) -> Place:
    """Like `stand`, but for AWS only where ``environment`` names it; see `choose_by_name`."""
    project = find_project()
    return _place(project, choose_by_name(project, environment, local=local, port=port), environment)


def _place(project: Path, target: Target, environment: str | None) -> Place:
    from serinus.infra.settings import load_settings

    chosen = environment_for(target, environment)
    if target.cloud is not None:
        return Place(project, chosen, target)
    settings = load_settings(project / SETTINGS, chosen)
    notice(f"on {target.name}: {_aws_words(settings)}")
    return Place(project, chosen, Target(None, settings.region))


def _aws_words(settings: "Settings") -> str:
    """The environment, and what decides whose AWS it is: settings, or the shell where they leave it open."""
    words = [f"environment {settings.environment}"]
    words += [f"account {settings.account}"] if settings.account else []
    words += [f"region {settings.region}"] if settings.region else []
    profile = os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE")
    return ", ".join([*words, *([f"profile {profile}"] if profile else [])])


def cloud_time(target: Target) -> float:
    """Epoch seconds at ``target``."""
    if target.cloud is None:
        return time.time()
    return float(target.cloud.own_api().get("/clock").raise_for_status().json()["epoch_s"])
