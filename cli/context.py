"""What a command's options resolve to: project, environment and cloud, and the time in that cloud."""

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from serinus.cli.console import notice
from serinus.cli.project import find_project
from serinus.cli.target import CloudTarget, environment_for, select_prediction_target, select_target
from serinus.infra.names import LOCAL_ENVIRONMENT, SETTINGS

if TYPE_CHECKING:
    from serinus.infra.settings import Settings


@dataclass(frozen=True, slots=True)
class CommandContext:
    """A project, one of its environments, and the cloud that the command acts on."""

    project: Path
    environment: str
    target: CloudTarget

    @property
    def cli_flags(self) -> str:
        """The flags, after a space, with which another command acts on the same environment and cloud."""
        return cli_flags(self.environment, local=self.target.cloud is not None)

    def now(self) -> datetime:
        """The cloud's time: an offline cloud's may run ahead."""
        return datetime.fromtimestamp(cloud_time(self.target), UTC)


def cli_flags(environment: str, *, local: bool) -> str:
    """The flags, after a space, that select ``environment``, in the offline cloud if ``local``."""
    env_flag = "" if local and environment == LOCAL_ENVIRONMENT else f" --env {environment}"
    return f" --local{env_flag}" if local else env_flag


def resolve_context(environment: str | None, *, local: bool, port: int | None) -> CommandContext:
    """The context of a command's options, in the environment's region. For AWS, prints where the command acts
    before it acts. Raises `CliError` for an offline cloud that does not run."""
    project = find_project()
    return _context_of(project, select_target(project, environment, local=local, port=port), environment)


def resolve_prediction_context(environment: str | None, *, local: bool, port: int | None) -> CommandContext:
    """Like `resolve_context`, but AWS only if ``environment`` names it; see `select_prediction_target`."""
    project = find_project()
    target = select_prediction_target(project, environment, local=local, port=port)
    return _context_of(project, target, environment)


def _context_of(project: Path, target: CloudTarget, environment: str | None) -> CommandContext:
    from serinus.infra.settings import load_settings

    environment_name = environment_for(target, environment)
    if target.cloud is not None:
        return CommandContext(project, environment_name, target)
    settings = load_settings(project / SETTINGS, environment_name)
    notice(f"on {target.name}: {_describe_aws(settings)}")
    return CommandContext(project, environment_name, CloudTarget(None, settings.region))


def _describe_aws(settings: "Settings") -> str:
    """The environment, and what decides the AWS account: settings, or the shell where they leave it open."""
    words = [f"environment {settings.environment}"]
    words += [f"account {settings.account}"] if settings.account else []
    words += [f"region {settings.region}"] if settings.region else []
    profile = os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE")
    return ", ".join([*words, *([f"profile {profile}"] if profile else [])])


def cloud_time(target: CloudTarget) -> float:
    """Epoch seconds at ``target``."""
    if target.cloud is None:
        return time.time()
    return float(target.cloud.own_api().get("/clock").raise_for_status().json()["epoch_s"])
