"""Runs the commands that a page of this folder shows, and compares what they print with what the page shows.

A fenced block of the language `console` is a part of a session: a line that begins with "$ " is a command, and the
lines below it are its output, stdout and stderr together, at 80 columns. "…" stands for any text, and on a line of
its own for any lines. What differs from run to run (hashes, ports, times, sizes, counts of a rehearsal's requests)
is not compared. A block after a line that ends with a file's name and a colon, such as "`train.py`:", is that
file; if the line begins with "Add to", the block is added to the file.

    .venv/bin/python docs/transcripts.py docs/tutorial.md    # prints the session as it runs now
"""

import os
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
#: Where a page's session takes place, in place of the folder in which it is run.
SHOWN_HOME = "/home/me"
COLUMNS = 80
ELISION = "…"
_FENCE = re.compile(r"^```(\w*)$")
_FILE = re.compile(r"^(?P<add>Add to )?.*`(?P<name>[\w./-]+)`:$")
#: What differs from run to run, and its name in what is compared.
_VOLATILE = [
    (re.compile(pattern), name)
    for pattern, name in (
        (r"\bd-[A-Z0-9]{9}\b", "DEPLOYMENT"),
        (r"127\.0\.0\.1:\d+", "ADDRESS"),
        (r"_gateway/[a-z0-9]{10}", "_gateway/API"),
        (r"\bpid \d+", "pid PID"),
        (r"x-api-key: \w+", "x-api-key: KEY"),
        (r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?", "DATE"),
        (r"\b(?=[0-9a-f]*\d)[0-9a-f]{12}([0-9a-f]{52}\b|…|\b)", "HASH"),
        (r"python3\.\d+", "PYTHON"),
        (r"\+\d\d:\d\d\b", "TIME"),
        (r"\b\d[\d.,]*e[-+]\d+", "NUMBER"),
        (r"\b\d[\d.,]* ?(ms|us|s|kB|MB|minutes)\b", "NUMBER"),
    )
]
#: Lines in which every number but a version's is measured.
_MEASURED = re.compile(r"canary|live requests|requests on|responses|errors|evidence|recorded| to 1$|shipped$")
_NUMBER = re.compile(r"(?<!version )\b\d[\d,.]*\b%?")


@dataclass(frozen=True, slots=True)
class Command:
    """A command, the output that the page shows for it, and the page's line that it is on."""

    text: str
    output: str
    line: int


@dataclass(frozen=True, slots=True)
class File:
    """A file that the page shows, or with ``is_added`` the lines to add to it."""

    name: str
    text: str
    is_added: bool


Step = Command | File


def read_page(page: Path) -> dict[str, list[Step]]:
    """The steps of each section of a page, by its heading; sections without any are left out."""
    sections: dict[str, list[Step]] = {}
    heading, before = "", ""
    lines = iter(enumerate(page.read_text(encoding="utf-8").splitlines(), 1))
    for number, line in lines:
        fence = _FENCE.match(line)
        if fence is None:
            heading = line.lstrip("# ") if line.startswith("#") else heading
            before = line or before
            continue
        block = []
        for _, inner in lines:
            if inner == "```":
                break
            block.append(inner)
        named = _FILE.match(before)
        if fence[1] == "console":
            sections.setdefault(heading, []).extend(_commands(block, number + 1))
        elif named is not None and fence[1]:
            text = "\n".join(block) + "\n"
            sections.setdefault(heading, []).append(File(named["name"], text, bool(named["add"])))
        before = ""
    return {heading: steps for heading, steps in sections.items() if any(isinstance(s, Command) for s in steps)}


def blocks(page: Path, language: str = "text") -> list[str]:
    """The page's fenced blocks of a language, for output that is compared with what another test ran."""
    pattern = rf"^```{language}\n(.*?)^```$"
    return re.findall(pattern, page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def _commands(block: Iterable[str], first_line: int) -> Iterator[Command]:
    text, output, began = "", [], first_line
    for number, line in enumerate(block, first_line):
        if text.endswith("\\"):
            text += f"\n{line}"
        elif line.startswith("$ "):
            if text:
                yield Command(text, "\n".join(output), began)
            text, output, began = line.removeprefix("$ "), [], number
        else:
            output.append(line)
    if text:
        yield Command(text, "\n".join(output), began)


def comparable(output: str) -> list[str]:
    """The lines of an output without what differs from run to run."""
    lines = []
    for line in output.strip().splitlines():
        for pattern, name in _VOLATILE:
            line = pattern.sub(name, line)
        if _MEASURED.search(line):
            line = _NUMBER.sub("NUMBER", line)
        lines.append(" ".join(line.split()))
    return lines


def agrees(shown: str, printed: str) -> bool:
    """Whether a page's output is what was printed."""
    pattern = ""
    for line in comparable(shown):
        escaped = re.escape(line).replace(re.escape(ELISION), "[^\n]*")
        pattern += "(?:[^\n]*\n)*?" if line == ELISION else f"{escaped}\n"
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in comparable(printed))) is not None


class Session:
    """A shell in an empty folder, in which a page's commands run one after another."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._status = folder, 0
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        variables = {**os.environ, "COLUMNS": str(COLUMNS)}
        variables["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self._shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self.run("serinus local down")
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        self._shell.stdin.close()
        self._shell.wait()
        self._shell.stdout.close()

    def disagreements(self, steps: Iterable[Step]) -> list[str]:
        """Take the steps; what differs from the page, a text each. A command must succeed unless the page shows
        its exit code by `echo $?`."""
        steps, different = list(steps), []
        for index, step in enumerate(steps):
            if isinstance(step, File):
                self.write(step)
                continue
            printed = self.run(step.text)
            after = steps[index + 1] if index + 1 < len(steps) else None
            is_code_shown = isinstance(after, Command) and after.text == "echo $?"
            if not agrees(step.output, printed) or (self._status and not is_code_shown):
                different.append(
                    f"line {step.line}: $ {step.text}\nexit code {self._status}\n--- shown\n{step.output}\n"
                    f"--- printed\n{printed}"
                )
        return different

    def write(self, file: File) -> None:
        """Write the file into the session's current folder, or add to it: to the table that the first line names,
        if the file has it already."""
        path = Path(self.run("pwd", as_shown=False).strip()) / file.name
        before = path.read_text(encoding="utf-8") if file.is_added else ""
        head, _, _ = file.text.partition("\n")
        is_table = head.startswith("[") and f"\n{head}\n" in before
        after = before.replace(f"\n{head}\n", f"\n{file.text}") if is_table else f"{before}\n{file.text}"
        path.write_text(after if file.is_added else file.text, encoding="utf-8")

    def run(self, command: str, *, as_shown: bool = True) -> str:
        """Run a command; its output, with the folder's name as pages show it."""
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        # As sessions of other folders may run beside this one.
        command = re.sub(r"^serinus local up$", rf"\g<0> --port {self._port}", command)
        # A project uses the CDK CLI of this checkout, instead of installing it from the network.
        link = f"[ ! -f package.json ] || [ -e node_modules ] || ln -s {CHECKOUT}/node_modules node_modules"
        mark = f"-- {os.urandom(8).hex()} "
        self._shell.stdin.write(
            f"{link}\n{{ (exit {self._status})\n{command}\n}} </dev/null\nprintf '\\n{mark}%d\\n' $?\n"
        )
        self._shell.stdin.flush()
        lines: list[str] = []
        for line in self._shell.stdout:
            if line.startswith(mark):
                self._status = int(line.removeprefix(mark))
                break
            lines.append(line)
        output = "".join(lines).removesuffix("\n")
        return output.replace(str(self._folder), SHOWN_HOME) if as_shown else output


def main() -> None:
    """Print each command of the named pages as it prints now; the exit code is 1 if a page shows otherwise."""
    different = 0
    with tempfile.TemporaryDirectory(prefix="transcripts-") as folder, Session(Path(folder).resolve()) as session:
        for page in sys.argv[1:]:
            for heading, steps in read_page(Path(page)).items():
                sys.stdout.write(f"\n## {heading}\n")
                for step in steps:
                    if isinstance(step, File):
                        session.write(step)
                        continue
                    printed = session.run(step.text)
                    is_equal = agrees(step.output, printed)
                    different += not is_equal
                    sys.stdout.write(f"{'' if is_equal else '(differs) '}$ {step.text}\n{printed}")
                    sys.stdout.flush()
    sys.exit(bool(different))


if __name__ == "__main__":
    main()
