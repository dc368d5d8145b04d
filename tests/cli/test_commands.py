"""Every command explains itself, with an example that names a real command and real options."""

import re
import shlex
import subprocess
import sys
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from serinus.cli.main import app

ROOT: Any = typer.main.get_command(app)


def every_command(group: Any, path: tuple[str, ...] = ()) -> dict[str, Any]:
    found = {}
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            found.update(every_command(command, (*path, name)))
        else:
            found[" ".join((*path, name))] = command
    return found


COMMANDS = every_command(ROOT)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_ends_with_an_example_whose_options_exist(name: str) -> None:
    command = COMMANDS[name]
    example = re.search(r"Example: \[bold\](.+?)\[/\]", command.help or "")
    assert example, f"{name} has no example"
    known = {option for parameter in command.params for option in parameter.opts}
    text = example[1].split("&&")[0]
    if text.startswith("serinus "):
        words = shlex.split(text)
        assert words[1 : 1 + len(name.split())] == name.split()
        assert {word for word in words if word.startswith("--")} <= known


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_is_printed_for(name: str) -> None:
    done = CliRunner(env={"COLUMNS": "80", "TERMINAL_WIDTH": "80"}).invoke(app, [*name.split(), "--help"])
    assert done.exit_code == 0
    assert "Usage:" in done.output
    assert [line for line in done.output.splitlines() if len(line.rstrip()) > 80 or line.endswith("… │")] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained(name: str) -> None:
    silent = [
        parameter.name
        for parameter in COMMANDS[name].params
        if not getattr(parameter, "help", None) and parameter.name != "help"
    ]
    assert not silent


@pytest.mark.parametrize("name", ["", "local", "rollout", *COMMANDS])
def test_flags_are_printed_without_a_type(name: str) -> None:
    assert "<bool>" not in CliRunner().invoke(app, [*name.split(), "--help"]).output


def test_help_loads_none_of_the_heavy_libraries() -> None:
    script = "import sys, serinus.cli.main; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    heavy = {"boto3", "pandas", "numpy", "sklearn", "aws_cdk", "moto", "pydantic", "httpx", "onnxruntime"}
    assert not heavy & set(done.stdout.split())


@pytest.mark.parametrize("columns", ["80", "160"])
def test_the_commands_are_grouped_by_moment(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    printed = CliRunner().invoke(app, ["--help"]).output
    panels = {name: printed.index(f"─ {name} ─") for name in ("Start", "Release", "Live", "This machine")}
    assert list(panels) == sorted(panels, key=panels.__getitem__)
    assert "─ Commands ─" not in printed
    assert panels["Release"] < printed.index(" rollout ") < panels["Live"]
