"""The main job from start to end: train, package, deploy with the stock CDK CLI, predict over HTTP. Then two
releases under traffic: a good one is promoted, a bad one is rolled back.

`scripts/quickstart` runs this. It works in a scratch project with the commands that a user would type,
and deletes everything afterwards, unless --keep is set.
"""

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import joblib
import pandas as pd
from rich.console import Console
from rich.table import Table
from train import train

CHECKOUT = Path(__file__).resolve().parents[1]
NAME = "tumour"
#: A canary that bakes for fifteen real seconds, in which it meets enough requests to be judged by.
BAKE_MINUTES, SHARE_PERCENT = 10, 30
PACE = ("--speed", "40", "--rate", "60", "--seed", "1")
#: Skips time instead, so that the machine's speed does not count.
UNHURRIED_PACE = ("--stepped", "--seed", "1")
#: Real seconds of waiting for this machine that are worth a line.
MENTIONED_S = 1.0
FAULT = "errors=20%"
PROMOTED, ROLLED_BACK = 0, 3
#: Exit codes of rehearsals that came to an end; 4 and 5 are those of releases that were not judged, or too late.
VERDICTS = (PROMOTED, ROLLED_BACK, 4, 5)
out = Console(highlight=False, soft_wrap=True)


class StepFailed(Exception):
    """A step of the quickstart failed; the message is one sentence, and the log has all output."""


class Quickstart:
    """A scratch project, its cloud, and how long each step took."""

    def __init__(self, folder: Path, reports: Path, log: Path) -> None:
        self.folder, self.reports, self.log = folder, reports, log
        self.command = [sys.executable, "-m", "serinus"]
        self.port = free_port()
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Print the step and how long it took, or that it failed."""
        began = time.monotonic()
        try:
            yield
        except Exception as error:
            out.print(f"[red]failed[/]  {title}")
            raise StepFailed(f"{title}: {error}") from error
        self.seconds[title] = time.monotonic() - began
        out.print(f"[green]done[/]  {self.seconds[title]:6.1f} s  {title}")

    def serinus(self, *arguments: str, expected: Collection[int] = (0,), seen: bool = False) -> str:
        """Run `serinus` in the scratch project and return its stdout; with ``seen`` a terminal shows its progress.
        Raises `StepFailed` unless the exit code is one of ``expected``."""
        progress = None if seen and sys.stderr.isatty() else subprocess.PIPE
        with subprocess.Popen(
            [*self.command, *arguments], cwd=self.folder, stdout=subprocess.PIPE, stderr=progress, text=True
        ) as running:
            try:
                output, progress_text = running.communicate()
            except BaseException:
                running.terminate()  # not killed: a rehearsal takes its cloud down first
                raise
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"$ serinus {' '.join(arguments)}\n{progress_text or ''}{output}")
        if running.returncode not in expected:
            reason = last_error(progress_text or "")
            raise StepFailed(f"`serinus {arguments[0]}` ended with exit code {running.returncode}{reason}")
        return output

    def rehearse(self, name: str, *arguments: str, expected: int) -> dict[str, Any]:
        """Release the model once more under traffic, in a cloud of its own; returns the rehearsal's JSON.

        A machine that is too busy for the traffic can spoil a release that depends on real time: such a one is
        rehearsed again, with time skipped. Raises `StepFailed` if that ends otherwise than ``expected`` too.
        """
        rehearsal = self._rehearse(name, PACE, *arguments)
        if rehearsal["exit_code"] != expected:
            out.print(
                f"        it ended otherwise: {rehearsal['headline']}. This machine may be too busy for the pace; "
                "once more, with time skipped instead of sped up (--stepped)",
                markup=False,
            )
            rehearsal = self._rehearse(name, UNHURRIED_PACE, *arguments)
        if rehearsal["exit_code"] != expected:
            raise StepFailed(f"the release ended otherwise than it should: {' '.join(rehearsal['summary'])}")
        waited_s = rehearsal["real_s"]["slowed"] + rehearsal["real_s"]["held"]
        if waited_s >= MENTIONED_S:
            out.print(f"        this machine is busy: cloud time was slowed for {waited_s:.0f} s", markup=False)
        return rehearsal

    def _rehearse(self, name: str, pace: Sequence[str], *arguments: str) -> dict[str, Any]:
        options = (*pace, "--html", str(self.reports / f"{name}.html"), "--json", *arguments)
        output = self.serinus("rehearse", NAME, *options, expected=VERDICTS, seen=True)
        rehearsal: dict[str, Any] = json.loads(output)
        (self.reports / f"{name}.json").write_text(json.dumps(rehearsal, indent=2), encoding="utf-8")
        return rehearsal

    def run(self) -> dict[str, Any]:
        """Run all steps; returns the endpoint as `serinus deploy --json` prints it."""
        with self.step("train a model on scikit-learn's breast-cancer data"):
            accuracy = train(self.folder / "training")
        with self.step("write a project (serinus init)"):
            self.serinus("init", ".", "--name", "quickstart")
            with (self.folder / "serinus.toml").open("a") as settings:
                settings.write(
                    f"\n[defaults.rollout]\nbake_minutes = {BAKE_MINUTES}\nshare_percent = {SHARE_PERCENT}\n"
                )
            (self.folder / "node_modules").symlink_to(CHECKOUT / "node_modules")
        with self.step("package it: ONNX, checked against the source (serinus package)"):
            packed = json.loads(
                self.serinus(
                    "package", "training/model.joblib", "--name", NAME, "--sample", "training/sample.csv", "--json"
                )
            )
        with self.step("start the offline cloud (serinus local up)"):
            self.serinus("local", "up", "--port", str(self.port))
        with self.step("build layers, cdk bootstrap, cdk deploy (serinus deploy --local)"):
            (endpoint,) = json.loads(self.serinus("deploy", NAME, "--local", "--json"))
        with self.step("predict over HTTP"):
            rows = json.loads((self.folder / "training" / "rows.json").read_text())
            answer, first_ms, warm_ms = ask(endpoint, rows)
        self.show(rows, answer)
        out.print(
            f"\naccuracy of the source on unseen rows  {accuracy:.3f}"
            f"\nmodel version                          {packed['version'][:12]}"
            f"\nserved by version                      {answer['version']}"
            f" (function version {endpoint['function_version']})"
            f"\nsize                                   {packed['source_bytes'] / 1e3:.0f} kB joblib -> "
            f"{packed['graph_bytes'] / 1e3:.0f} kB ONNX"
            f"\nfirst request / fastest of ten more    {first_ms:.0f} ms / {warm_ms:.1f} ms",
            markup=False,
        )
        with self.step("release it again under traffic: promoted (serinus rehearse)"):
            good = self.rehearse("good", expected=PROMOTED)
        with self.step(f"release it with a fault: rolled back (serinus rehearse --inject {FAULT})"):
            bad = self.rehearse("bad", "--inject", FAULT, expected=ROLLED_BACK)
        show_release(f"a good release: a canary of {SHARE_PERCENT} % for {BAKE_MINUTES} minutes", good)
        show_release("a bad release: a fifth of the live requests that reach it fail", bad)
        return {**endpoint, "rows": rows[:1]}

    def show(self, rows: list[dict[str, float]], answer: dict[str, Any]) -> None:
        """Served predictions beside those of the source model."""
        model = joblib.load(self.folder / "training" / "model.joblib")
        source = model.predict_proba(pd.DataFrame(rows))
        labels = model.predict(pd.DataFrame(rows))
        table = Table("row", "served", "source", "difference", title="\nserved beside the source model", box=None)
        for index, served in enumerate(answer["probabilities"]):
            table.add_row(
                str(index),
                f"{answer['labels'][index]} {max(served):.6f}",
                f"{labels[index]} {max(source[index]):.6f}",
                f"{max(abs(a - b) for a, b in zip(served, source[index], strict=True)):.1e}",
            )
        out.print(table)

    def down(self) -> None:
        """Stop the cloud, remove the scratch project."""
        command = [sys.executable, "-m", "serinus", "local", "down"]
        subprocess.run(command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        shutil.rmtree(self.folder, ignore_errors=True)


def last_error(progress_text: str) -> str:
    """The error that a command printed, or its last line; empty if it printed nothing."""
    lines = [line.strip() for line in progress_text.splitlines() if line.strip()]
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return f": {(errors or lines)[-1]}" if lines else ""


def ask(endpoint: dict[str, Any], rows: list[Any]) -> tuple[dict[str, Any], float, float]:
    """The response, and milliseconds of the first request and the fastest of ten more.

    The pre-traffic check has called the function already, so the first request need not be cold.
    """
    headers = {"x-api-key": endpoint["key"]}
    milliseconds = []
    with httpx.Client(trust_env=False, timeout=60) as client:
        for _ in range(11):
            began = time.perf_counter()
            answer = client.post(f"{endpoint['url']}/predict", json={"rows": rows}, headers=headers)
            milliseconds.append((time.perf_counter() - began) * 1000)
            answer.raise_for_status()
    return answer.json(), milliseconds[0], min(milliseconds[1:])


def show_release(title: str, rehearsal: dict[str, Any]) -> None:
    """Print a rehearsed release's events and how many requests reached it; times are cloud minutes and seconds."""
    out.print(f"\n{title}", markup=False)
    for event in rehearsal["events"]:
        if event["kind"] in ("alias", "verdict", "alarm"):
            minutes, seconds = divmod(int(event["cloud_s"]), 60)
            out.print(f" {minutes:3d}:{seconds:02d}  {event['text']}", markup=False)
    reached, during = rehearsal["requests_that_met_the_candidate"], rehearsal["requests_during_shift"]
    out.print(
        f"   ->   {rehearsal['headline']}. {reached} of the {during} requests during the shift reached version "
        f"{rehearsal['candidate_version']}; {rehearsal['failed_requests']} of all {rehearsal['requests']} failed. "
        f"Version {rehearsal['final_version']} serves.",
        markup=False,
    )


def free_port() -> int:
    """A free port, so that two quickstarts can run side by side."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def print_kept(quickstart: Quickstart, endpoint: dict[str, Any]) -> None:
    """Print where everything is, with --keep."""
    body = json.dumps({"rows": endpoint["rows"]})
    out.print(
        f"\nURL      {endpoint['url']}\nkey      {endpoint['key']}\nproject  {quickstart.folder}\n"
        f"reports  {quickstart.reports / 'good.html'}, {quickstart.reports / 'bad.html'}\n"
        f"\ncurl -sS {endpoint['url']}/predict -H 'x-api-key: {endpoint['key']}' "
        f"-H 'content-type: application/json' -d '{body}'\n"
        f"\nto delete it: cd {quickstart.folder} && {sys.executable} -m serinus local down",
        markup=False,
    )


def main() -> int:
    """Exit code: 0 for success, 1 for a failed step, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="scripts/quickstart", description=__doc__)
    parser.add_argument(
        "--keep", action="store_true", help="leave the cloud running; print URL, key and a curl command"
    )
    parser.add_argument(
        "--reports", type=Path, metavar="FOLDER", help="write the two releases' reports and JSON to this folder"
    )
    arguments = parser.parse_args()
    keep = arguments.keep
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    folder = Path(tempfile.mkdtemp(prefix="serinus-quickstart-"))
    if arguments.reports is not None:
        arguments.reports.mkdir(parents=True, exist_ok=True)
    descriptor, log = tempfile.mkstemp(prefix="serinus-quickstart-", suffix=".log")
    os.close(descriptor)
    quickstart = Quickstart(folder, (arguments.reports or folder).resolve(), Path(log))
    kept = failed = False
    try:
        endpoint = quickstart.run()
        if keep:
            print_kept(quickstart, endpoint)
            kept = True
        else:
            with quickstart.step("delete the stack (serinus destroy --local)"):
                quickstart.serinus("destroy", "--local")
            with quickstart.step("stop the cloud (serinus local down)"):
                quickstart.serinus("local", "down")
    except StepFailed as error:
        failed = True
        out.print(
            f"quickstart stopped at: {error}\nlog: {log}\n"
            "next: .venv/bin/serinus doctor checks this machine; then run scripts/quickstart again",
            markup=False,
        )
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        if not kept:
            quickstart.down()
        if not failed:
            quickstart.log.unlink()
    out.print(f"\nall in {sum(quickstart.seconds.values()):.0f} s", markup=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
