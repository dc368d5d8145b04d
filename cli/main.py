"""The entry point: the tree of commands, and the report of a failure."""

import os
import sys
import traceback
from importlib.metadata import version
from inspect import getdoc
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from serinus.cli.commands import (
    build,
    bundles,
    check,
    deploy,
    destroy,
    doctor,
    eject,
    init,
    inspect,
    key,
    lint,
    local,
    logs,
    monitor,
    package,
    pin,
    policy,
    predict,
    rehearse,
    rollback,
    rollout,
    simulate,
    status,
    synth,
    try_,
)
from serinus.cli.console import fail, show_all_text
from serinus.cli.errors import INTERRUPTED_EXIT_CODE, CliError
from serinus.offline.client.shell import bypassing

app = typer.Typer(
    name="serinus",
    help="Put trained models into production on AWS Lambda, and rehearse every release on this machine first.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(requested: bool) -> None:
    if requested:
        sys.stdout.write(f"serinus {version('serinus')}\n")
        raise typer.Exit


@app.callback()
def root(
    debug: bool = typer.Option(False, "--debug", help="Print the traceback if a command fails."),
    show_version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
    ),
) -> None:
    del show_version
    if debug:
        os.environ["SERINUS_DEBUG"] = "1"


#: The panels of `serinus --help`, in the order of a model's life.
START, RELEASE, LIVE, MACHINE = "Start", "Release", "Live", "This machine"

app.command("try", rich_help_panel=START)(try_.try_)
app.command("init", rich_help_panel=START)(init.init)
app.command("package", rich_help_panel=START)(package.package)
app.command("check", rich_help_panel=START)(check.check)
app.command("inspect", rich_help_panel=START)(inspect.inspect)
app.command("deploy", rich_help_panel=START)(deploy.deploy)
app.command("predict", rich_help_panel=START)(predict.predict)
app.command("pin", rich_help_panel=RELEASE)(pin.pin)
app.command("rehearse", rich_help_panel=RELEASE)(rehearse.rehearse)
app.add_typer(rollout.app, name="rollout", rich_help_panel=RELEASE)
app.command("rollback", rich_help_panel=RELEASE)(rollback.rollback)
app.command("status", rich_help_panel=LIVE)(status.status)
app.command("logs", rich_help_panel=LIVE)(logs.logs)
app.command("simulate", rich_help_panel=LIVE)(simulate.simulate)
app.add_typer(monitor.app, name="monitor", rich_help_panel=LIVE)
app.command("key", rich_help_panel=LIVE)(key.key)
app.command("destroy", rich_help_panel=LIVE)(destroy.destroy)
app.add_typer(local.app, name="local", rich_help_panel=MACHINE)
app.command("doctor", rich_help_panel=MACHINE)(doctor.doctor)
app.command("lint", rich_help_panel=MACHINE)(lint.lint)
app.command("build", rich_help_panel=MACHINE)(build.build)
app.add_typer(bundles.app, name="bundles", rich_help_panel=MACHINE)
app.command("synth", rich_help_panel=MACHINE)(synth.synth)
app.command("eject", rich_help_panel=MACHINE)(eject.eject)
app.command("policy", rich_help_panel=MACHINE)(policy.policy)


def _join_lines(group: typer.Typer) -> None:
    """Let the terminal, not the source, break the lines of help texts: typer keeps a docstring's line breaks."""
    for command in group.registered_commands:
        paragraphs = (getdoc(command.callback) or "").split("\n\n")
        command.help = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


class _FlagsWithoutType:
    """Omits the type of flags from help: typer prints <bool>, but a flag takes no value."""

    def get_params(self, ctx: Any) -> Any:
        parameters = super().get_params(ctx)  # type: ignore[misc]
        for parameter in parameters:
            if getattr(parameter, "is_flag", False):
                parameter.metavar = ""
        return parameters


class _Command(_FlagsWithoutType, TyperCommand):
    pass


class _Group(_FlagsWithoutType, TyperGroup):
    pass


for _group in (app, bundles.app, local.app, monitor.app, rollout.app):
    _join_lines(_group)
    _group.info.cls = _Group
    for _registered in _group.registered_commands:
        _registered.cls = _Command


def main() -> None:
    """Run the command line. Exit codes: 0; 2 for usage; for our errors 1 or their own code, and one line."""
    # For every program that is started from here: package indexes may need the proxy, this machine never does.
    os.environ.update(bypassing(os.environ))
    show_all_text()
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED_EXIT_CODE)
    except Exception as error:  # noqa: BLE001  a command never ends in a traceback
        _report(error)
        sys.exit(getattr(error, "exit_code", 1))


def _report(error: Exception) -> None:
    if os.environ.get("SERINUS_DEBUG"):
        traceback.print_exception(error)
    from serinus.cli.os_errors import describe
    from serinus.cli.refusals import refusals
    from serinus.cli.target import local_hint

    if isinstance(error, refusals()):
        fail(f"{error}{'' if isinstance(error, CliError) else local_hint(error)}")
    elif isinstance(error, OSError):
        fail(describe(error))
    else:
        fail(
            f"unexpected {type(error).__name__}: {error}. This is a mistake in Serinus, or in a file that it "
            "read. `serinus --debug …` prints where it happened; please report it."
        )
