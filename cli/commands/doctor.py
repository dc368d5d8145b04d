"""`serinus doctor`: reports what is missing on this machine and how to install it."""

import contextlib
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from serinus.cli import cdk, offline_process
from serinus.cli.console import notice, print_json, results
from serinus.cli.errors import CliError, WrongUsage
from serinus.cli.node import NODE_REMEDY, NODE_REQUIREMENT, node_version
from serinus.cli.project import find_project
from serinus.cli.target import AsJson, CloudPort, Local
from serinus.lambda_handlers.contract.lock import LOCK

OLDEST_PYTHON = (3, 11)
FREE_DISK_MB = 2000


@dataclass(frozen=True, slots=True)
class DoctorCheck:
    """One requirement; ``remedy`` says how to install it if it is missing. State `later`: a next step installs
    it."""

    what: str
    state: Literal["ok", "missing", "later", "optional"]
    detail: str
    remedy: str = ""

    def to_json(self) -> dict[str, str]:
        return {"what": self.what, "state": self.state, "found": self.detail, "remedy": self.remedy}


def doctor(
    as_json: AsJson = False,
    aws_account: Annotated[
        bool,
        typer.Option(
            "--aws-account",
            help="Instead, observe in the account of your credentials what AWS does where its documentation is "
            "silent: deploys a small endpoint, and removes it. Costs under 5 dollars.",
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="With --aws-account: skip the confirmation.")] = False,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="With --aws-account: folder for aws-verified.md and aws-verified.json. Default: docs.",
        ),
    ] = None,
    local: Local = False,
    port: CloudPort = None,
) -> None:
    """Check this machine for requirements and show how to install missing ones. Exit code 1: one is missing.

    With --aws-account the command checks AWS instead; docs/aws-account.md describes it. With --local it does the
    same in this project's offline cloud, to try it out.

    Example: [bold]serinus doctor[/]
    """
    if aws_account:
        from serinus.cli.account_check.command import DEFAULT_REPORT, run_check

        if as_json:
            raise WrongUsage("--json excludes --aws-account, which writes aws-verified.json. Leave one out.")
        run_check(local=local, port=port, yes=yes, report=report or DEFAULT_REPORT)
        return
    if local or port is not None or yes or report is not None:
        raise WrongUsage("--local, --port, --yes and --report are options of --aws-account. Add it.")
    checks = list(run_checks())
    if as_json:
        print_json([check.to_json() for check in checks])
    else:
        colours = {"ok": "green", "missing": "red", "later": "cyan", "optional": "yellow"}
        for check in checks:
            results.print(f"{check.state:8}  ", style=colours[check.state], end="")
            results.print(f"{check.what}: {check.detail}")
            if check.remedy:
                results.print(f"{'':8}  next: {check.remedy}")
    if any(check.state == "missing" for check in checks):
        raise typer.Exit(1)
    if not as_json:
        notice(f"nothing is missing. Next: {next_step()}")


def next_step() -> str:
    """The first step of the main job that this folder's project has not taken."""
    try:
        project = find_project()
    except CliError:
        return "serinus init FOLDER"
    if not (project / LOCK).is_file():
        return "serinus package MODEL --name NAME --sample SAMPLE.csv"
    with contextlib.suppress(CliError):
        if offline_process.find(project) is not None:
            return "serinus deploy --local"
    return "serinus local up, then serinus deploy --local"


def run_checks() -> Iterator[DoctorCheck]:
    """Check each requirement once."""
    yield _python()
    yield _node()
    yield _cdk()
    yield _extra("offline cloud", offline_process.MODULES, "offline")
    yield _extra("scikit-learn models", ("sklearn", "skl2onnx", "pandas", "pyarrow", "skops"), "sklearn")
    yield from _target_pythons()
    yield _disk()
    credentials = _credentials()
    yield credentials
    if credentials.state == "ok":
        yield from _quotas()


def _quotas() -> Iterator[DoctorCheck]:
    """Lambda's quotas in the account of the current credentials, for the project's environments in it."""
    from botocore.exceptions import BotoCoreError, ClientError

    from serinus.cli.account_quotas import exceeded
    from serinus.infra.errors import InfraError
    from serinus.infra.names import LOCAL_ENVIRONMENT, SETTINGS
    from serinus.infra.settings import known_environments, load_settings

    what, remedy = "Lambda's quotas", "console.aws.amazon.com/servicequotas, or reserve less"
    try:
        path = find_project() / SETTINGS
        environments = [
            load_settings(path, name) for name in known_environments(path) if name != LOCAL_ENVIRONMENT
        ]
        account = _aws_client("sts", None).get_caller_identity()["Account"]
        for settings in environments:
            if settings.account not in (None, account) or not settings.endpoints:
                continue
            limits = _aws_client("lambda", settings.region).get_account_settings()["AccountLimit"]
            count = int(limits["ConcurrentExecutions"])
            problems = list(exceeded(settings, count))
            yield DoctorCheck(
                f"{what} for environment {settings.environment}",
                "optional" if problems else "ok",
                "; ".join(problems) or f"{count} concurrent executions",
                remedy if problems else "",
            )
    except (CliError, InfraError):
        return  # without a project, or with settings that other commands explain
    except (BotoCoreError, ClientError) as error:
        yield DoctorCheck(
            what, "optional", f"not read: {error}", "sts:GetCallerIdentity, lambda:GetAccountSettings"
        )


def _aws_client(service: str, region: str | None) -> Any:
    """A client that gives up soon: the command also runs where AWS cannot be reached."""
    import boto3
    from botocore.config import Config

    soon = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 1})
    return boto3.client(service, region_name=region, config=soon)


def _python() -> DoctorCheck:
    interpreter = f"{platform.python_version()} at {sys.executable}"
    enough = sys.version_info[:2] >= OLDEST_PYTHON
    return DoctorCheck(
        "Python 3.11 or later",
        "ok" if enough else "missing",
        interpreter,
        "" if enough else "python.org/downloads",
    )


def _node() -> DoctorCheck:
    version, enough = node_version()
    return DoctorCheck(NODE_REQUIREMENT, "ok" if enough else "missing", version, "" if enough else NODE_REMEDY)


def _cdk() -> DoctorCheck:
    what = "CDK CLI of this project"
    try:
        project = find_project()
    except CliError as error:
        return DoctorCheck(what, "optional", "no project in this folder", str(error))
    try:
        pinned, installed = cdk.pinned_version(project), cdk.installed_version(project)
    except CliError as error:
        return DoctorCheck(what, "missing", f"no version in {cdk.PACKAGE}", str(error))
    if installed == pinned:
        return DoctorCheck(what, "ok", installed)
    return DoctorCheck(
        what,
        "later",
        installed or "not installed yet",
        f"`serinus deploy` installs {pinned}; so does npm install",
    )


def _extra(what: str, modules: tuple[str, ...], extra: str) -> DoctorCheck:
    absent = [name for name in modules if find_spec(name) is None]
    if not absent:
        return DoctorCheck(what, "ok", "installed")
    return DoctorCheck(what, "optional", f"without {', '.join(absent)}", f"pip install 'serinus[{extra}]'")


def _target_pythons() -> Iterator[DoctorCheck]:
    from serinus.modelpack.layers import find_interpreter

    for version in ("3.12", "3.13", "3.14"):
        path = find_interpreter(version)
        if path is None:
            yield DoctorCheck(
                f"Python {version}, to compile layers for it",
                "optional",
                "not found: layers for it start more slowly",
                f"uv python install {version}",
            )
        else:
            yield DoctorCheck(f"Python {version}, to compile layers for it", "ok", str(path))


def _disk() -> DoctorCheck:
    free_mb = shutil.disk_usage(Path.cwd()).free // 1_000_000
    enough = free_mb >= FREE_DISK_MB
    remedy = "" if enough else f"free {FREE_DISK_MB - free_mb} MB: layers and the offline cloud are unpacked there"
    return DoctorCheck(
        f"{FREE_DISK_MB / 1000:g} GB of free disk",
        "ok" if enough else "missing",
        f"{free_mb / 1000:.1f} GB",
        remedy,
    )


def _credentials() -> DoctorCheck:
    import boto3
    from botocore.exceptions import BotoCoreError

    what, remedy = "AWS credentials (not needed offline)", "aws configure, or AWS_PROFILE"
    try:
        credentials = boto3.Session().get_credentials()
    except BotoCoreError as error:  # such as a profile that does not exist
        return DoctorCheck(what, "optional", str(error), remedy)
    if credentials is None:
        return DoctorCheck(what, "optional", "none", remedy)
    return DoctorCheck(what, "ok", "found")
