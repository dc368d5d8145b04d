"""The entry point: the tree of commands, and what happens when one fails."""

import os
import sys
import traceback
from importlib.metadata import version

import typer

from serinus.cli.commands import (
    build,
    deploy,
    destroy,
    doctor,
    init,
    inspect,
    key,
    lint,
    local,
    logs,
    package,
    predict,
    rehearse,
    rollback,
    rollout,
    status,
    synth,
)
from serinus.cli.console import fail, show_all_text
from serinus.cli.errors import CliError
from serinus.offline.client.shell import bypassing

app = typer.Typer(
    name="serinus",
    help="Put trained models into production on AWS Lambda, and rehearse every release on this machine first.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"serinus {version('serinus')}\n")
        raise typer.Exit


@app.callback()
def root(
    debug: bool = typer.Option(False, "--debug", help="Show the traceback when a command fails."),
    show_version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
    ),
) -> None:
    del show_version
    if debug:
        os.environ["SERINUS_DEBUG"] = "1"


app.command("init")(init.init)
app.command("package")(package.package)
app.command("inspect")(inspect.inspect)
app.command("lint")(lint.lint)
app.command("build")(build.build)
app.command("synth")(synth.synth)
app.command("deploy")(deploy.deploy)
app.command("predict")(predict.predict)
app.command("status")(status.status)
app.command("logs")(logs.logs)
app.command("key")(key.key)
app.command("rehearse")(rehearse.rehearse)
app.command("rollback")(rollback.rollback)
app.command("destroy")(destroy.destroy)
app.command("doctor")(doctor.doctor)
app.add_typer(local.app, name="local")
app.add_typer(rollout.app, name="rollout")


def main() -> None:
    """Run the command line: exit 0, 2 for usage, one line and 1 (or its kind's code) for refusals."""
    # For all that is started from here: package indexes may need the proxy, nothing on this machine does.
    os.environ.update(bypassing(os.environ))
    show_all_text()
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if not isinstance(error, _refusals()):
            raise
        _report(error)
        sys.exit(getattr(error, "exit_code", 1))


def _refusals() -> tuple[type[Exception], ...]:
    """The bases of what our rooms raise on purpose, and of what AWS refuses; looked up late, since `--help` needs
    none of them."""
    from botocore.exceptions import BotoCoreError, ClientError

    from serinus.infra.errors import InfraError
    from serinus.lambda_handlers.contract.errors import ContractError
    from serinus.modelpack.errors import ModelpackError
    from serinus.offline.core.errors import OfflineError

    return CliError, InfraError, ContractError, ModelpackError, OfflineError, ClientError, BotoCoreError


def _report(error: Exception) -> None:
    if os.environ.get("SERINUS_DEBUG"):
        traceback.print_exception(error)
    fail(str(error))
