"""Finds the Python that runs functions, and AWS's runtime installed with it.

A worker must see the function's code, its layers, and the packages of AWS's runtime (the runtime client, boto3),
and nothing else that happens to be installed here. So those distributions are linked into their own directory,
and the interpreter is started without its site-packages.
"""

import contextlib
import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serinus.offline.core.errors import OfflineError

#: The packages of AWS's managed Python runtimes, with their dependencies.
RUNTIME_DISTRIBUTIONS = (
    "awslambdaric",
    "snapshot_restore_py",
    "simplejson",
    "boto3",
    "botocore",
    "s3transfer",
    "jmespath",
    "python-dateutil",
    "six",
    "urllib3",
)

#: Run by the function's own interpreter: prints the locations of its distributions, by top-level name.
PROBE = """
import importlib.metadata as metadata, json, sys, sysconfig
entries, missing = {}, []
for name in sys.argv[1:]:
    try:
        distribution = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        missing.append(name)
        continue
    for file in distribution.files or []:
        top = file.parts[0]
        if top not in ("..", "__pycache__"):
            entries[top] = str(distribution.locate_file(top))
print(json.dumps({"version": sys.version_info[:3], "soabi": sysconfig.get_config_var("SOABI") or "",
                  "entries": entries, "missing": missing}))
"""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that runs functions: ``version`` like "3.11", ``soabi`` like "cpython-311-x86_64-linux-gnu"."""

    executable: Path
    version: str
    full_version: str
    soabi: str
    runtime_dir: Path


def prepare(executable: Path | None, work_dir: Path) -> Interpreter:
    """Probe ``executable`` (None: the running Python) and link its runtime directory under ``work_dir``."""
    python = executable or Path(sys.executable)
    probed = _probe(python)
    if "awslambdaric" in probed["missing"]:
        raise OfflineError(
            f"{python} cannot run functions: AWS's runtime client is not installed for it. "
            f"`{python} -m pip install awslambdaric boto3` adds it."
        )
    major, minor, micro = probed["version"]
    runtime_dir = work_dir / "runtime" / f"{major}.{minor}-{hashlib.sha256(str(python).encode()).hexdigest()[:12]}"
    runtime_dir.mkdir(parents=True, exist_ok=True)
    for name, path in probed["entries"].items():
        with contextlib.suppress(FileExistsError):  # several workers may create it at once
            (runtime_dir / name).symlink_to(path)
    return Interpreter(python, f"{major}.{minor}", f"{major}.{minor}.{micro}", probed["soabi"], runtime_dir)


def _probe(python: Path) -> dict[str, Any]:
    try:
        done = subprocess.run(
            [str(python), "-c", PROBE, *RUNTIME_DISTRIBUTIONS], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        detail = getattr(error, "stderr", "") or str(error)
        raise OfflineError(f"{python} cannot be run: {detail.strip()}") from error
    probed: dict[str, Any] = json.loads(done.stdout)
    return probed
