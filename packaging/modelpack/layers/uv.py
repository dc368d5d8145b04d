"""Calls uv, which resolves wheels for platforms other than this one."""

import os
import subprocess
import tempfile
from pathlib import Path

from serinus.modelpack.errors import LayerError, ResolveError
from serinus.modelpack.layers.targets import Target

#: Where only pip is configured, uv gets the same indexes under its own names.
_INDEX_WORDS = {"PIP_INDEX_URL": "UV_DEFAULT_INDEX", "PIP_EXTRA_INDEX_URL": "UV_INDEX"}


def uv_command() -> list[str]:
    """The command of uv; raises `LayerError` where it is not installed."""
    import uv

    try:
        return [uv.find_uv_bin()]
    except FileNotFoundError as error:
        raise LayerError(f"uv is not installed ({error}): pip install uv") from error


def install(requirements: Path, target: Target, folder: Path, extra: tuple[str, ...] = ()) -> None:
    """Install the hash-pinned ``requirements`` for ``target`` into ``folder``; raises `ResolveError`.

    Wheels only: building from source would compile code for this machine. Runs in an empty folder, so that no
    project's own settings apply; the environment's index settings do.
    """
    command = ["pip", "install", "--target", str(folder), "--link-mode", "copy", "--no-progress"]
    command += ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--python-version", target.python]
    if target.platform is not None:
        command += ["--python-platform", target.platform]
    command += ["-r", str(requirements), *extra]
    done = run_uv(command)
    if done.returncode:
        last_lines = "\n".join(done.stderr.strip().splitlines()[-12:])
        raise ResolveError(
            f"the packages of {requirements.name} could not be installed for {target.name}:\n{last_lines}\n"
            "Check the network and the package index (UV_DEFAULT_INDEX or PIP_INDEX_URL), then build again."
        )


def run_uv(command: list[str], *, stdin: str = "") -> "subprocess.CompletedProcess[str]":
    """Run uv's ``command`` with ``stdin`` in an empty folder, so that no project's own settings apply; the
    environment's index settings do. Raises `LayerError` without uv."""
    environment = _environment()
    done = _run([*uv_command(), *command], environment, stdin)
    if done.returncode and "certificate" in done.stderr:
        # Behind a corporate proxy the system's certificates are valid, not those bundled with uv.
        done = _run([*uv_command(), *command], {**environment, "UV_SYSTEM_CERTS": "1"}, stdin)
    return done


def _run(command: list[str], environment: dict[str, str], stdin: str) -> "subprocess.CompletedProcess[str]":
    with tempfile.TemporaryDirectory() as empty_folder:
        return subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            cwd=empty_folder,
            env=environment,
        )


def _environment() -> dict[str, str]:
    environment = {**os.environ, "NO_COLOR": "1"}
    environment.pop("FORCE_COLOR", None)
    if not {"UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX"} & set(environment):
        for ours, theirs in _INDEX_WORDS.items():
            if ours in environment:
                environment[theirs] = environment[ours]
    return environment
