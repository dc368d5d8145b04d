"""The main job from start to end: train, package, deploy with the stock CDK CLI, predict over HTTP.

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
out = Console(highlight=False, soft_wrap=True)


class StepFailed(Exception):
    """A step of the quickstart did not work; its output stands above."""


class Quickstart:
    """A scratch project, its cloud, and how long each step took."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
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

    def serinus(self, *arguments: str) -> str:
        """Run the `serinus` command in the scratch project; its stdout."""
        command = [sys.executable, "-m", "cli", *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        if done.returncode != 0:
            out.print(done.stdout + done.stderr, markup=False)
            raise StepFailed(f"serinus {' '.join(arguments)} ended with exit code {done.returncode}")
        return done.stdout

    def run(self) -> dict[str, Any]:
        """All steps; the endpoint, as `serinus deploy --json` describes it."""
        with self.step("train a model on scikit-learn's breast-cancer data"):
            accuracy = train(self.folder / "training")
        with self.step("write a project (serinus init)"):
            self.serinus("init", ".", "--name", "quickstart")
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
        command = [sys.executable, "-m", "cli", "local", "down"]
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
        f"\ncurl -sS {endpoint['url']}/predict -H 'x-api-key: {endpoint['key']}' "
        f"-H 'content-type: application/json' -d '{body}'\n"
        f"\ntake it down: cd {quickstart.folder} && {sys.executable} -m cli local down",
        markup=False,
    )


def main() -> int:
    """0 when the endpoint answered, 1 with the step that failed, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="scripts/quickstart", description=__doc__)
    parser.add_argument(
        "--keep", action="store_true", help="leave the cloud running; print URL, key and a curl line"
    )
    keep = parser.parse_args().keep
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    quickstart = Quickstart(Path(tempfile.mkdtemp(prefix="serinus-quickstart-")))
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
