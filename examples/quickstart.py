"""The main job from start to end: train, package, deploy with the stock CDK CLI, predict over HTTP. Then two
releases under traffic: a good one is promoted, a bad one is rolled back.

`scripts/quickstart` runs this. It works in a scratch project with the commands that a person would type,
and takes everything down again unless --keep is given.
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
from collections.abc import Iterator
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
FAULT = "errors=20%"
PROMOTED, ROLLED_BACK = 0, 3
out = Console(highlight=False, soft_wrap=True)


class StepFailed(Exception):
    """A step of the quickstart did not work; its output stands above."""


class Quickstart:
    """A scratch project, its cloud, and how long each step took."""

    def __init__(self, folder: Path, reports: Path) -> None:
        self.folder, self.reports = folder, reports
        self.port = free_port()
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Name what is under way, and how long it took or that it failed."""
        began = time.monotonic()
        try:
            yield
        except Exception as error:
            out.print(f"[red]failed[/]  {title}")
            raise StepFailed(title) from error
        self.seconds[title] = time.monotonic() - began
        out.print(f"[green]done[/]  {self.seconds[title]:6.1f} s  {title}")

    def serinus(self, *arguments: str, expected: int = 0, seen: bool = False) -> str:
        """Run the `serinus` command in the scratch project; its stdout. What is ``seen`` shows its progress on a
        terminal. `StepFailed` unless it ends with exit code ``expected``."""
        command = [sys.executable, "-m", "serinus", *arguments]
        progress = None if seen and sys.stderr.isatty() else subprocess.PIPE
        with subprocess.Popen(
            command, cwd=self.folder, stdout=subprocess.PIPE, stderr=progress, text=True
        ) as running:
            try:
                said, told = running.communicate()
            except BaseException:
                running.terminate()  # not killed: a rehearsal takes its cloud down first
                raise
        if running.returncode != expected:
            out.print(said + (told or ""), markup=False)
            raise StepFailed(f"serinus {' '.join(arguments)} ended with exit code {running.returncode}")
        return said

    def rehearse(self, name: str, *arguments: str, expected: int) -> dict[str, Any]:
        """Release the model once more under traffic, in a cloud of its own; the rehearsal as data."""
        options = (*PACE, "--html", str(self.reports / f"{name}.html"), "--json", *arguments)
        told: dict[str, Any] = json.loads(self.serinus("rehearse", NAME, *options, expected=expected, seen=True))
        (self.reports / f"{name}.json").write_text(json.dumps(told, indent=2), encoding="utf-8")
        return told

    def run(self) -> dict[str, Any]:
        """All steps; the endpoint, as `serinus deploy --json` describes it."""
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
        show_release("a bad release: a fifth of the live requests that meet it fail", bad)
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


def ask(endpoint: dict[str, Any], rows: list[Any]) -> tuple[dict[str, Any], float, float]:
    """The answer, and milliseconds of the first request and the fastest of ten more.

    The check before the first release has asked the function already, so the first request need not be cold.
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


def show_release(title: str, told: dict[str, Any]) -> None:
    """What happened to a release that was rehearsed, and who met it; times are cloud minutes and seconds."""
    out.print(f"\n{title}", markup=False)
    for event in told["events"]:
        if event["kind"] in ("alias", "verdict", "alarm"):
            minutes, seconds = divmod(int(event["cloud_s"]), 60)
            out.print(f" {minutes:3d}:{seconds:02d}  {event['text']}", markup=False)
    met, during = told["requests_that_met_the_candidate"], told["requests_during_shift"]
    out.print(
        f"   ->   {told['headline']}. {met} of the {during} requests during the shift met version "
        f"{told['candidate_version']}; {told['failed_requests']} of all {told['requests']} failed. "
        f"Version {told['final_version']} serves.",
        markup=False,
    )


def free_port() -> int:
    """A port that nobody listens on, so that two quickstarts can run side by side."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def print_kept(quickstart: Quickstart, endpoint: dict[str, Any]) -> None:
    """Where everything is, when it stays."""
    body = json.dumps({"rows": endpoint["rows"]})
    out.print(
        f"\nURL      {endpoint['url']}\nkey      {endpoint['key']}\nproject  {quickstart.folder}\n"
        f"reports  {quickstart.reports / 'good.html'}, {quickstart.reports / 'bad.html'}\n"
        f"\ncurl -sS {endpoint['url']}/predict -H 'x-api-key: {endpoint['key']}' "
        f"-H 'content-type: application/json' -d '{body}'\n"
        f"\ntake it down: cd {quickstart.folder} && {sys.executable} -m serinus local down",
        markup=False,
    )


def main() -> int:
    """0 when all went as it should, 1 with the step that failed, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="scripts/quickstart", description=__doc__)
    parser.add_argument(
        "--keep", action="store_true", help="leave the cloud running; print URL, key and a curl line"
    )
    parser.add_argument(
        "--reports", type=Path, metavar="FOLDER", help="leave the pages and data of the two releases there"
    )
    chosen = parser.parse_args()
    keep = chosen.keep
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    folder = Path(tempfile.mkdtemp(prefix="serinus-quickstart-"))
    if chosen.reports is not None:
        chosen.reports.mkdir(parents=True, exist_ok=True)
    quickstart = Quickstart(folder, (chosen.reports or folder).resolve())
    kept = False
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
        out.print(f"quickstart stopped at: {error}", markup=False)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        if not kept:
            quickstart.down()
    out.print(f"\nall in {sum(quickstart.seconds.values()):.0f} s", markup=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
