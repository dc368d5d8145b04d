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
from serinus.cli.project import find_project
from serinus.infra.names import DEFAULT_ENVIRONMENT, LOCAL_ENVIRONMENT
from serinus.offline.core.root_key import RootKey

if TYPE_CHECKING:
    import boto3

LARGEST_PORT = 65_535

Local = Annotated[bool, typer.Option("--local", help="Use this project's offline cloud instead of AWS.")]
CloudPort = Annotated[
    int | None,
    typer.Option(
        "--port",
        min=1,
        max=LARGEST_PORT,
        help="With --local: port of the offline cloud, if the project runs several.",
    ),
]
Environment = Annotated[
    str | None,
    typer.Option(
        "--env", metavar="NAME", help="Environment in serinus.toml. Default: dev, or local with --local."
    ),
]
PackEnvironment = Annotated[
    str, typer.Option("--env", metavar="NAME", help="Environment whose pin in serinus.lock to read.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
EndpointName = Annotated[str, typer.Argument(help="Name of the endpoint in serinus.toml.")]
EndpointNames = Annotated[
    list[str] | None, typer.Argument(help="Names of endpoints. Default: all endpoints of the environment.")
]

_EXECUTE_API = re.compile(r"https://(?P<api>[a-z0-9]+)\.execute-api\.[^/]+(?P<rest>/.*)?")
#: AWS's error codes for credentials that are wrong, expired or of another account.
_CREDENTIAL_ERRORS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)


@dataclass(frozen=True, slots=True)
class CloudTarget:
    """AWS, or an offline cloud: ``cloud`` is None for AWS. ``region`` None leaves the choice to the user's AWS
    settings."""

    cloud: RunningCloud | None
    region: str | None = None

    @property
    def name(self) -> str:
        if self.cloud is not None:
            return f"the offline cloud at {self.cloud.url}"
        endpoint = os.environ.get("AWS_ENDPOINT_URL")
        return f"AWS at {endpoint} (AWS_ENDPOINT_URL)" if endpoint else "AWS"

    @property
    def region_name(self) -> str | None:
        """The region; None for AWS if neither `region` nor the user's AWS settings name one."""
        if self.cloud is not None:
            return self.cloud.region
        if self.region is not None:
            return self.region
        import boto3

        region: str | None = boto3.Session().region_name
        return region

    @property
    def pause_s(self) -> float:
        """Real seconds between two polls: AWS limits how often its APIs may be called."""
        return 5.0 if self.cloud is None else 0.5

    @property
    def clock_note(self) -> str:
        """How the cloud's time differs from real time; empty if it does not."""
        if self.cloud is None or self.cloud.speed == 1:
            return ""
        return f"cloud time, which runs {self.cloud.speed:g} times as fast as real time"

    def environment(self) -> dict[str, str]:
        """The environment variables for a program that acts on this target: the shell's, without those that would
        lead it away from an offline cloud."""
        return dict(os.environ) if self.cloud is None else self.cloud.shell(os.environ)

    def client(self, service: str) -> Any:
        """A boto3 client for this target."""
        import boto3
        from botocore.config import Config

        if self.cloud is None:
            return boto3.client(service, region_name=self.region)
        session = _session(self.cloud.key, self.cloud.region)
        once = Config(retries={"total_max_attempts": 1})
        return session.client(service, endpoint_url=self.cloud.url, config=once)

    def url(self, deployed: str) -> str:
        """The address at which this machine reaches an API whose stack output is ``deployed``; raises `CliError`
        for a domain of an offline cloud, whose name would lead out of it."""
        if self.cloud is None:
            return deployed
        match = _EXECUTE_API.fullmatch(deployed)
        if match is None:
            raise CliError(
                f"the endpoint answers at {deployed} only, and the offline cloud has no DNS. Send requests to "
                f"{self.cloud.url} with that host name in the header Host, or set keep_default_host = true in the "
                "endpoint's domain table and deploy again."
            )
        return f"{self.cloud.url}/_gateway/{match['api']}{match['rest'] or ''}"


@functools.cache
def _session(key: RootKey, region: str) -> "boto3.session.Session":
    """One session for all clients of a cloud: each session loads the models of services anew."""
    from serinus.offline.client.session import isolated_session

    return isolated_session(key, region)


def environment_for(target: "CloudTarget", requested: str | None) -> str:
    """The ``requested`` environment, or the default one of ``target``."""
    return requested or (DEFAULT_ENVIRONMENT if target.cloud is None else LOCAL_ENVIRONMENT)


def select_target(project: Path, environment: str | None, *, local: bool, port: int | None) -> CloudTarget:
    """The offline cloud with ``local`` (raises `CliError` when none runs), AWS otherwise.

    Raises `WrongUsage` if another option means an offline cloud and ``local`` is not set.
    """
    if local:
        return CloudTarget(offline_process.require(project, port))
    if port is not None:
        raise WrongUsage(
            f"--port {port} names an offline cloud, but without --local the target is AWS. Add --local."
        )
    if environment == LOCAL_ENVIRONMENT:
        raise WrongUsage(
            f"--env {environment} is the offline cloud's environment, but without --local the target is AWS. "
            "Add --local."
        )
    if pointed := os.environ.get(VARIABLE_LOCAL_URL):
        raise CliError(
            f"this shell is set up for the offline cloud at {pointed} ({VARIABLE_LOCAL_URL}), but without --local "
            "the target is AWS. Add --local, or use a shell without this variable."
        )
    return CloudTarget(None)


def select_prediction_target(
    project: Path, environment: str | None, *, local: bool, port: int | None
) -> CloudTarget:
    """Where rows are sent: AWS only if an environment names it, else this project's offline cloud; raises
    `CliError` if none runs."""
    if environment not in (None, LOCAL_ENVIRONMENT) and not local and port is None:
        return select_target(project, environment, local=False, port=None)
    if local or port is not None or environment is not None or offline_process.find(project) is not None:
        return select_target(project, environment, local=True, port=port)
    raise CliError(
        "no offline cloud of this project is running, and rows are sent to AWS only with --env. Run "
        "`serinus local up` and `serinus deploy --local` to use an offline cloud, or add "
        f"`--env {DEFAULT_ENVIRONMENT}` to use AWS."
    )


def local_hint(error: Exception | None = None) -> str:
    """The advice to add --local, after a space, if an offline cloud of this project runs and ``error`` (None for
    missing credentials) is about AWS credentials or region; else empty."""
    from botocore.exceptions import BotoCoreError, ClientError

    if isinstance(error, ClientError):
        about_credentials = error.response["Error"]["Code"] in _CREDENTIAL_ERRORS
    else:
        kind = type(error).__name__ if isinstance(error, BotoCoreError) else ""
        about_credentials = error is None or re.search(r"Credential|Token|Profile|Region", kind) is not None
    if not about_credentials:
        return ""
    try:
        cloud = offline_process.find(find_project())
    except CliError:
        return ""
    return "" if cloud is None else f" The offline cloud at {cloud.url} is running: add --local to use it."
