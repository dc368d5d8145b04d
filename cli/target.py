"""Where a command acts: the offline cloud of this project, or AWS with the user's own credentials."""

import functools
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serinus.cli import offline_process
from serinus.cli.errors import CliError, WrongUsage
from serinus.cli.offline_process import VARIABLE_LOCAL_URL, RunningCloud
from serinus.infra.names import DEFAULT_ENVIRONMENT, LOCAL_ENVIRONMENT
from serinus.offline.core.root_key import RootKey

if TYPE_CHECKING:
    import boto3

Local = Annotated[bool, typer.Option("--local", help="Act on the offline cloud of this project.")]
CloudPort = Annotated[int | None, typer.Option("--port", help="Which offline cloud, where several run.")]
Environment = Annotated[
    str | None, typer.Option("--env", help="Environment of serinus.toml: dev by default, local with --local.")
]
PackEnvironment = Annotated[str, typer.Option("--env", help="Environment whose pin in serinus.lock it is.")]

_EXECUTE_API = re.compile(r"https://(?P<api>[a-z0-9]+)\.execute-api\.[^/]+(?P<rest>/.*)?")


@dataclass(frozen=True, slots=True)
class Target:
    """The place; ``cloud`` is None for AWS. ``region`` None leaves the choice to the user's AWS settings."""

    cloud: RunningCloud | None
    region: str | None = None

    @property
    def name(self) -> str:
        if self.cloud is not None:
            return f"the offline cloud at {self.cloud.url}"
        elsewhere = os.environ.get("AWS_ENDPOINT_URL")
        return f"AWS at {elsewhere} (AWS_ENDPOINT_URL)" if elsewhere else "AWS"

    @property
    def region_name(self) -> str | None:
        """The region there; None for AWS where neither `region` nor the user's AWS settings name one."""
        if self.cloud is not None:
            return self.cloud.region
        if self.region is not None:
            return self.region
        import boto3

        found: str | None = boto3.Session().region_name
        return found

    @property
    def pause_s(self) -> float:
        """Real seconds between looks at something that is waited for: AWS limits how often its APIs are asked."""
        return 5.0 if self.cloud is None else 0.5

    def environment(self) -> dict[str, str]:
        """All variables of a program that is started to act on the same place: the shell's, but for what leads
        away from an offline cloud."""
        return dict(os.environ) if self.cloud is None else self.cloud.shell(os.environ)

    def client(self, service: str) -> Any:
        """A boto3 client of the place."""
        import boto3
        from botocore.config import Config

        if self.cloud is None:
            return boto3.client(service, region_name=self.region)
        session = _session(self.cloud.key, self.cloud.region)
        once = Config(retries={"total_max_attempts": 1})
        return session.client(service, endpoint_url=self.cloud.url, config=once)

    def url(self, deployed: str) -> str:
        """The address at which an API whose stack output says ``deployed`` is reached from here."""
        match = _EXECUTE_API.fullmatch(deployed)
        if self.cloud is None or match is None:
            return deployed
        return f"{self.cloud.url}/_gateway/{match['api']}{match['rest'] or ''}"


@functools.cache
def _session(key: RootKey, region: str) -> "boto3.session.Session":
    """One session for all clients of a cloud: each session loads the models of services anew."""
    from serinus.offline.client.session import isolated_session

    return isolated_session(key, region)


def environment_for(target: "Target", wanted: str | None) -> str:
    """The environment that was asked for; else what is meant at ``target``."""
    return wanted or (DEFAULT_ENVIRONMENT if target.cloud is None else LOCAL_ENVIRONMENT)


def choose(project: Path, wanted: str | None, *, local: bool, port: int | None) -> Target:
    """The offline cloud with ``local`` (raises `CliError` when none runs), AWS otherwise.

    Raises `WrongUsage` where what else was asked for means an offline cloud and ``local`` does not say so.
    """
    if local:
        return Target(offline_process.require(project, port))
    if port is not None:
        raise WrongUsage(f"--port {port} names an offline cloud, and without --local AWS is meant. Add --local.")
    if wanted == LOCAL_ENVIRONMENT:
        raise WrongUsage(
            f"--env {wanted} is the offline cloud's environment, and without --local AWS is meant. Add --local."
        )
    if pointed := os.environ.get(VARIABLE_LOCAL_URL):
        raise CliError(
            f"this shell is pointed at the offline cloud at {pointed} ({VARIABLE_LOCAL_URL}), and without --local "
            "AWS is meant. Add --local, or use a shell that is not pointed at it."
        )
    return Target(None)


def choose_by_name(project: Path, wanted: str | None, *, local: bool, port: int | None) -> Target:
    """Where rows are sent: AWS only where an environment names it, else the offline cloud of this project that
    runs; `CliError` where none does."""
    if wanted not in (None, LOCAL_ENVIRONMENT) and not local and port is None:
        return choose(project, wanted, local=False, port=None)
    if local or port is not None or wanted is not None or offline_process.find(project) is not None:
        return choose(project, wanted, local=True, port=port)
    raise CliError(
        "no offline cloud of this project is running, and AWS gets rows only where --env names one of its "
        f"environments. `serinus local up` and `serinus deploy --local` make the former, `--env "
        f"{DEFAULT_ENVIRONMENT}` means AWS."
    )
