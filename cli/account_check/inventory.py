"""The record of what a check makes in an account, written before each creation, so that a later run can remove it.

One file for each account and region. A lock beside it belongs to the run that uses it, and is free once that run
has ended, however it ended.
"""

import contextlib
import fcntl
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from serinus.cli.errors import CliError
from serinus.modelpack.atomic import write_file

FOLDER = Path(".serinus") / "account-check"


@dataclass(frozen=True, slots=True)
class Creation:
    """Something that was made, or was about to be: ``kind`` decides how it is removed."""

    kind: str
    name: str


@dataclass(slots=True)
class Inventory:
    """The record at ``path``. ``on_step`` is called after each entry was written, before it is made."""

    path: Path
    on_step: Callable[[str], None] = lambda _step: None
    #: The project names of runs that have not removed everything, the present run's last.
    runs: list[str] = field(default_factory=list)
    creations: list[Creation] = field(default_factory=list)

    def begin(self, run: str) -> None:
        """Record a run before it makes anything."""
        self.runs.append(run)
        self._write()
        self.on_step("begin")

    def creating(self, kind: str, name: str) -> None:
        """Record that something is about to be made."""
        creation = Creation(kind, name)
        if creation not in self.creations:
            self.creations.append(creation)
            self._write()
        self.on_step(f"create {kind} {name}")

    def removed(self, creation: Creation) -> None:
        """Record that it is gone."""
        self.creations.remove(creation)
        self._write()

    def ended(self, runs: Sequence[str]) -> None:
        """Record that nothing of ``runs`` is left."""
        self.runs = [run for run in self.runs if run not in runs]
        self._write()

    def _write(self) -> None:
        if not self.runs and not self.creations:
            self.path.unlink(missing_ok=True)
            return
        content = {"runs": self.runs, "creations": [asdict(entry) for entry in self.creations]}
        write_file(self.path, (json.dumps(content, indent=1) + "\n").encode())


@contextmanager
def open_inventory(project: Path, account: str, region: str) -> Iterator[Inventory]:
    """The record of ``account`` and ``region`` in ``project``. Raises `CliError` while another run uses it."""
    folder = project / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{account}-{region}.json"
    with path.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CliError(
                f"another check of account {account} in {region} is running in this project. Wait for it to end."
            ) from None
        yield _read(path)


def _read(path: Path) -> Inventory:
    inventory = Inventory(path)
    # A file that cannot be read does not matter: stacks are found by their tag as well.
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        content = json.loads(path.read_text(encoding="utf-8"))
        inventory.runs = [str(run) for run in content["runs"]]
        inventory.creations = [Creation(entry["kind"], entry["name"]) for entry in content["creations"]]
    return inventory
