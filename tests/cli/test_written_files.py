"""No option that names a file or folder to write has a command overwrite what Serinus did not write."""

import inspect
import sys
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import typer

from serinus.cli.html_output import require_writable, write_page
from serinus.cli.main import app, main
from serinus.cli.rehearse.environment import free_port

#: Options that name what is read.
READ = {
    ("package", "--sample"),
    ("package", "--requirements"),
    ("package", "--acceptance"),
    ("package", "--holdout"),
    ("package", "--traffic"),
    ("simulate", "--data"),
    ("predict", "--data"),
    ("local up", "--readings"),
    ("rehearse", "--readings"),
}
#: Options that name what is written, with what the command needs beside them.
WRITTEN = {
    ("inspect", "--html"): ["model"],
    ("monitor report", "--html"): ["endpoint"],
    ("rehearse", "--html"): ["endpoint"],
    ("simulate", "--html"): ["endpoint"],
    ("rollout explain", "--html"): ["endpoint"],
    ("local up", "--state"): [],
    ("doctor", "--report"): ["--aws-account", "--local"],
    ("predict", "--output"): ["endpoint", "--data", "serinus.toml"],
    ("try", "--keep"): ["serinus.toml", "serinus.toml"],
}


def every_command(group: Any, path: tuple[str, ...] = ()) -> dict[str, Any]:
    commands = {}
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            commands.update(every_command(command, (*path, name)))
        else:
            commands[" ".join((*path, name))] = command
    return commands


def path_options() -> set[tuple[str, str]]:
    options = set()
    for name, command in every_command(typer.main.get_command(app)).items():
        hints = get_type_hints(inspect.unwrap(command.callback))
        for parameter in command.params:
            if parameter.param_type_name == "option" and Path in (
                hints.get(parameter.name),
                *get_args(hints.get(parameter.name)),
            ):
                options.add((name, parameter.opts[0]))
    return options


def test_every_option_that_names_a_path_is_known() -> None:
    assert path_options() == READ | {*WRITTEN}


@pytest.mark.parametrize(("name", "option"), WRITTEN)
@pytest.mark.parametrize("file", ["model.joblib", "serinus.toml", "page", "index.html.bak"])
def test_a_file_of_the_users_is_not_overwritten(
    name: str,
    option: str,
    file: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "serinus.toml").write_text('[project]\nname = "shop"\n')
    (tmp_path / file).write_text("mine")
    monkeypatch.chdir(tmp_path)
    # Another test may have a cloud at the usual port.
    port = ["--port", str(free_port())] if name == "local up" else []
    monkeypatch.setattr(sys, "argv", ["serinus", *name.split(), *WRITTEN[name, option], *port, option, file])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code in (1, 2)
    assert f"{file} " in capsys.readouterr().err
    assert (tmp_path / file).read_text() == "mine"


def test_a_page_is_replaced_whole_and_a_link_does_not_lead_elsewhere(tmp_path: Path) -> None:
    page, other = tmp_path / "page.html", tmp_path / "model.joblib"
    other.write_text("mine")
    page.symlink_to(other)
    require_writable(page)
    write_page(page, "new")
    assert (page.read_text(), other.read_text()) == ("new", "mine")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.joblib", "page.html"]
