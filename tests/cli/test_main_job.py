"""The main job, by the real CDK CLI: package, deploy, predict, update, predict, stay in step, destroy."""

import ast
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import joblib
import pandas as pd
import pytest

from serinus.cli import offline_process
from serinus.cli.target import CloudTarget

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT / "examples"))

pytestmark = [pytest.mark.cdk, pytest.mark.xdist_group("main-job")]


class Project:
    """A person's project folder, with folders in it that bear the names of ours."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}

    def run(self, *command: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=400
        )
        assert done.returncode == 0 or not check, f"{command}\n{done.stdout}\n{done.stderr}"
        return done

    def data(self, *arguments: str) -> Any:
        return json.loads(self.run("serinus", *arguments, "--json").stdout)

    def package(self, trees: int) -> dict[str, Any]:
        from train import train

        train(self.folder / "training", trees=trees)
        return self.data("package", "training/model.joblib", "--name", "tumour", "--sample", "training/sample.csv")

    def source_probabilities(self) -> list[list[float]]:
        model = joblib.load(self.folder / "training" / "model.joblib")
        return model.predict_proba(pd.DataFrame(self.rows())).tolist()

    def rows(self) -> list[dict[str, float]]:
        return json.loads((self.folder / "training" / "rows.json").read_text())

    def client(self, service: str) -> Any:
        return CloudTarget(offline_process.require(self.folder)).client(service)

    def stack_status(self, endpoint: dict[str, Any]) -> str:
        return self.client("cloudformation").describe_stacks(StackName=endpoint["stack"])["Stacks"][0][
            "StackStatus"
        ]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = Project(tmp_path / "shop")
    made.folder.mkdir()
    for name in ("infra", "packaging", "offline"):
        (made.folder / name).mkdir()
        (made.folder / name / "__init__.py").write_text("raise ImportError('a folder of the user shadows ours')")
    made.run("serinus", "init")
    (made.folder / "node_modules").symlink_to(CHECKOUT / "node_modules")
    made.run("serinus", "local", "up", "--port", str(made.port))
    try:
        yield made
    finally:
        made.run("serinus", "local", "down", check=False)


def ask(endpoint: dict[str, Any], rows: list[Any]) -> httpx.Response:
    return httpx.post(
        f"{endpoint['url']}/predict",
        json={"rows": rows},
        headers={"x-api-key": endpoint["key"]},
        timeout=60,
        trust_env=False,
    )


def observe(project: Project, endpoint: dict[str, Any], request_id: str) -> None:
    """Status, log and key tell of ``endpoint`` and its request."""
    (status,) = project.data("status", "--local")["endpoints"]
    assert (status["deployed"]["url"], status["behind"]) == (endpoint["url"], False)
    assert [one["share"] for one in status["deployed"]["versions"]] == [1.0]
    shown = json.loads(
        project.run(
            "serinus", "logs", "tumour", "--local", "--since", "1d", "--request", request_id, "--json"
        ).stdout
    )
    assert (shown["route"], shown["outcome"], shown["version"]) == ("POST /predict", "answered", "1")

    rotated = project.run("serinus", "key", "tumour", "--local", "--rotate")
    assert endpoint["key"] not in rotated.stdout
    assert ask({**endpoint, "key": rotated.stdout.strip()}, project.rows()).status_code == 200
    old = next(key for key in project.data("key", "tumour", "--local") if key["origin"] == "stack")
    project.run("serinus", "key", "tumour", "--local", "--revoke", old["id"])
    assert ask(endpoint, project.rows()).status_code == 403
    endpoint["key"] = rotated.stdout.strip()


def predict_labelled(project: Project) -> None:
    """Predict a labelled table of more rows than one request holds, into a file."""
    sample = pd.read_csv(project.folder / "training" / "sample.csv")
    rows = pd.concat([sample] * 5, ignore_index=True).assign(diagnosis="unknown")
    rows.to_parquet(project.folder / "labelled.parquet")
    arguments = ("--data", "labelled.parquet", "--drop", "diagnosis", "--output", "predictions.csv")
    done = project.data("predict", "tumour", "--local", *arguments)
    read = pd.read_csv(project.folder / "predictions.csv")
    assert done["rows"] == len(read) == len(rows) > 1000
    model = joblib.load(project.folder / "training" / "model.joblib")
    assert read["predicted_label"].tolist() == model.predict(rows.drop(columns=["diagnosis"])).tolist()


def test_a_model_is_served_updated_and_taken_down(project: Project) -> None:
    first = project.package(trees=20)
    (endpoint,) = project.data("deploy", "--local")
    assert endpoint["model_version"] == first["version"]

    answer = ask(endpoint, project.rows())
    assert answer.status_code == 200
    assert answer.headers["x-serinus-model-version"] == first["version"][:12]
    served = answer.json()["probabilities"]
    assert served == [pytest.approx(row, abs=1e-4) for row in project.source_probabilities()]
    assert httpx.post(f"{endpoint['url']}/predict", json={}, trust_env=False).status_code == 403

    observe(project, endpoint, answer.headers["x-amzn-requestid"])

    project.run("serinus", "deploy", "--local")
    assert "(no changes)" in (project.folder / ".serinus" / "local" / "cdk.log").read_text()

    second = project.package(trees=40)
    assert second["version"] != first["version"]
    (updated,) = project.data("deploy", "--local")
    assert (updated["url"], updated["key"]) == (endpoint["url"], endpoint["key"])
    assert int(updated["function_version"]) == int(endpoint["function_version"]) + 1
    answer = ask(updated, project.rows())
    assert answer.headers["x-serinus-model-version"] == second["version"][:12]
    assert answer.json()["probabilities"] == [
        pytest.approx(row, abs=1e-4) for row in project.source_probabilities()
    ]

    by_command = project.data("predict", "tumour", "--data", "training/rows.json", "--local")
    assert by_command["labels"] == answer.json()["labels"]
    predict_labelled(project)
    code = "import json, serinus; print(serinus.predict('tumour', json.load(open('training/rows.json'))))"
    from_python = ast.literal_eval(project.run("python", "-c", code).stdout)
    assert [row["predicted_label"] for row in from_python] == answer.json()["labels"]

    exports = project.run("serinus", "local", "env").stdout
    plain = f'eval "$(cat)"; npx cdk diff --fail {endpoint["stack"]} 2>&1'
    diff = subprocess.run(
        ["bash", "-c", plain],
        cwd=project.folder,
        env=project.environment,
        input=exports,
        capture_output=True,
        text=True,
    )
    assert diff.returncode == 0, diff.stdout
    assert "There were no differences" in diff.stdout
    assert project.stack_status(endpoint) == "UPDATE_COMPLETE"

    destroyed = project.run("serinus", "destroy", "--local")
    assert len((destroyed.stdout + destroyed.stderr).splitlines()) == 2
    assert (project.folder / ".serinus" / "local" / "cdk-destroy.log").stat().st_size > 0
    gone = project.run("serinus", "predict", "tumour", "--data", "training/rows.json", "--local", check=False)
    assert gone.returncode == 1
    assert "is not deployed" in gone.stderr
    assert ask(endpoint, project.rows()).status_code == 403
