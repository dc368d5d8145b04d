"""No numeric option of any command accepts a number that switches a limit off or fits nothing."""

import inspect
import math
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import typer
from typer.testing import CliRunner

from serinus.cli.commands.logs import read_span
from serinus.cli.errors import WrongUsage
from serinus.cli.finite import finite
from serinus.cli.main import app

#: Values that an option documents as valid: the similarity of opposite directions.
VALID = {("package", "--cosine", "-1")}
#: What a command needs beside the option, so that only the option can be refused.
REQUIRED = {"predict": ["--data", "rows.json"]}


def every_command(group: Any, path: tuple[str, ...] = ()) -> dict[str, Any]:
    commands = {}
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            commands.update(every_command(command, (*path, name)))
        else:
            commands[" ".join((*path, name))] = command
    return commands


def numeric_options() -> list[tuple[str, str]]:
    """Command and option of each that takes a number."""
    options = []
    for name, command in every_command(typer.main.get_command(app)).items():
        hints = get_type_hints(inspect.unwrap(command.callback))
        for parameter in command.params:
            hint = hints.get(parameter.name)
            if {int, float} & {hint, *get_args(hint)}:
                options.append((name, parameter.opts[0]))
    return options


OPTIONS = numeric_options()
ARGUMENTS = {
    name: ["x" for parameter in command.params if parameter.param_type_name == "argument"] + REQUIRED.get(name, [])
    for name, command in every_command(typer.main.get_command(app)).items()
}


def test_the_options_are_found() -> None:
    assert {("package", "--max-loss"), ("local up", "--speed"), ("rehearse", "--seed")} <= {*OPTIONS}
    assert {name for name, option in OPTIONS if option == "--port"} >= {
        "deploy",
        "predict",
        "local up",
        "local down",
    }


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "-1", "1e400", "9" * 40, "ten"])
@pytest.mark.parametrize(("name", "option"), OPTIONS)
def test_a_number_that_fits_nothing_is_refused_by_the_options_name(
    name: str, option: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if (name, option, value) in VALID or _is_unbounded(name, option, value):
        return
    monkeypatch.chdir(tmp_path)  # no project: a value that passes does nothing
    done = CliRunner().invoke(app, [*name.split(), *ARGUMENTS[name], option, value])
    if isinstance(done.exception, WrongUsage):
        assert option in str(done.exception)
    else:
        assert done.exit_code == 2, done.output
        assert f"Invalid value for '{option}'" in " ".join(done.output.split())


@pytest.mark.parametrize("value", ["0", "65536"])
@pytest.mark.parametrize("name", [name for name, option in OPTIONS if option == "--port"])
def test_a_port_that_is_none_is_refused(name: str, value: str) -> None:
    done = CliRunner().invoke(app, [*name.split(), *ARGUMENTS[name], "--port", value])
    assert (done.exit_code, "Invalid value for '--port'" in " ".join(done.output.split())) == (2, True)


def _is_unbounded(name: str, option: str, value: str) -> bool:
    """Tolerances are in the unit of the model's outputs, which has no largest value."""
    return name == "package" and option in ("--atol", "--rtol", "--max-loss") and value == "9" * 40


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_refused_whatever_the_framework_compares(value: float) -> None:
    with pytest.raises(typer.BadParameter, match="is not a finite number"):
        finite(value)
    assert (finite(None), finite(0.5)) == (None, 0.5)


@pytest.mark.parametrize("text", ["nan", "inf", "-5m", "9" * 400 + "d", "4000d", "", "10"])
def test_a_span_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(WrongUsage, match=r"^--since "):
        read_span(text)
    assert read_span("3d") == 3 * 86_400
