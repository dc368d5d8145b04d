"""The main job in seconds: each command of a deployment into the offline cloud, and the quickstart as a whole."""

import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from table import Row, main, median

CHECKOUT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(CHECKOUT / "examples"))
ROUNDS = 3


class Project:
    """A scratch project with a cloud of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seconds: dict[str, list[float]] = {}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.serinus("init", ".", "--name", "bench")
        (folder / "node_modules").symlink_to(CHECKOUT / "node_modules")

    def serinus(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "serinus", *arguments]
        return subprocess.run(command, cwd=self.folder, check=True, capture_output=True, text=True).stdout

    def package(self, trees: int) -> None:
        from train import train

        train(self.folder / "training", trees=trees)
        with self.timed("serinus package"):
            self.serinus("package", "training/model.joblib", "--name", "tumour", "--sample", "training/sample.csv")

    def deploy_and_ask(self) -> str:
        """Deploy, ask once; the version that answered."""
        (endpoint,) = json.loads(self.serinus("deploy", "--local", "--json"))
        rows = json.loads((self.folder / "training" / "rows.json").read_text())
        answer = httpx.post(
            f"{endpoint['url']}/predict",
            json={"rows": rows},
            headers={"x-api-key": endpoint["key"]},
            timeout=60,
            trust_env=False,
        )
        version: str = answer.raise_for_status().json()["version"]
        return version

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds.setdefault(what, []).append(time.perf_counter() - began)

    def life(self) -> None:
        """One deployment from cloud start to cloud stop."""
        self.package(trees=60)
        with self.timed("serinus local up"):
            self.serinus("local", "up", "--port", str(self.port))
        try:
            with self.timed("first deploy: bootstrap, build, synth, deploy, answer"):
                first = self.deploy_and_ask()
            with self.timed("deploy without a change"):
                self.deploy_and_ask()
            began = time.perf_counter()
            self.package(trees=45)
            with self.timed("deploy of a changed model, answer"):
                second = self.deploy_and_ask()
            self.seconds.setdefault("package of a changed model to its answer", []).append(
                time.perf_counter() - began
            )
            assert first != second, "the changed model did not answer"
            with self.timed("serinus destroy"):
                self.serinus("destroy", "--local")
        finally:
            with self.timed("serinus local down"):
                self.serinus("local", "down")


def measure() -> list[Row]:
    """Medians of a few rounds; the quickstart runs on a checkout that is set up already."""
    lives: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            project = Project(Path(folder))
            project.life()
        for what, seconds in project.seconds.items():
            lives.setdefault(what, []).extend(seconds)
    lives["scripts/quickstart, second run"] = [_seconds_of(_quickstart) for _ in range(ROUNDS)]
    return [
        {
            "what": what,
            "median_s": median(seconds),
            "min_s": min(seconds),
            "max_s": max(seconds),
            "runs": len(seconds),
        }
        for what, seconds in lives.items()
    ]


def _quickstart() -> None:
    subprocess.run([CHECKOUT / "scripts" / "quickstart"], check=True, capture_output=True)


def _seconds_of(run: Callable[[], None]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


if __name__ == "__main__":
    main("main_job", measure, note="Wall-clock seconds, layers cached.")
