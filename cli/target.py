"""Where a command acts: the offline cloud of this project, or AWS with the user's own credentials."""

import functools
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import clouds
from cli.clouds import RunningCloud
from infra.names import DEFAULT_ENVIRONMENT, LOCAL_ENVIRONMENT
from offline.authorization.root_key import RootKey

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
        return "AWS" if self.cloud is None else f"the offline cloud at {self.cloud.url}"

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
    from offline.clients import isolated_session

    return isolated_session(key, region)


def environment_for(target: "Target", wanted: str | None) -> str:
    """The environment that was asked for; else what is meant at ``target``."""
    return wanted or (DEFAULT_ENVIRONMENT if target.cloud is None else LOCAL_ENVIRONMENT)


def choose(project: Path, *, local: bool, port: int | None) -> Target:
    """The offline cloud when asked for (raises `CliError` when none runs), AWS otherwise."""
    return Target(clouds.require(project, port) if local else None)


def choose_running(project: Path, *, local: bool, port: int | None) -> Target:
    """Like `choose`, but an offline cloud that runs is preferred unless AWS credentials are in the environment."""
    if local or not any(os.environ.get(name) for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID")):
        cloud = clouds.require(project, port) if local else clouds.find(project, port)
        if cloud is not None:
            return Target(cloud)
    return Target(None)
