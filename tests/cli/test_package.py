"""`serinus package` and `serinus inspect --html` on small models, through the command line itself."""

import json
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

pytestmark = pytest.mark.slow


def _serinus(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "serinus", *arguments], cwd=folder, capture_output=True, text=True
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with two models in models/, each with a table beside it."""
    (tmp_path / "serinus.toml").write_text("")
    (tmp_path / "models").mkdir()
    rows = pd.DataFrame({"size": np.arange(30.0), "age": np.arange(30.0) ** 0.5})
    for name in ("Price (old)", "rent"):
        joblib.dump(LinearRegression().fit(rows, rows["size"] * 2), tmp_path / "models" / f"{name}.joblib")
        rows.to_csv(tmp_path / "models" / f"{name}.csv", index=False)
    return tmp_path


def test_folder_of_models_is_packaged_in_one_go(project: Path) -> None:
    ran = _serinus(project, "package", "models", "--json")
    assert ran.returncode == 0, ran.stderr
    assert [item["name"] for item in json.loads(ran.stdout)] == ["price-old", "rent"]
    assert "[endpoint.rent]" in (project / "serinus.toml").read_text()


def test_page_holds_all_it_shows(project: Path) -> None:
    _serinus(project, "package", "models/rent.joblib", "--name", "rent", "--sample", "models/rent.csv")
    refused = _serinus(project, "inspect", "rent", "--html", "reports/rent.html")
    assert refused.returncode == 2
    assert refused.stderr.strip() == (
        "error: --html reports/rent.html: there is no folder reports. Create it first."
    )
    ran = _serinus(project, "inspect", "rent", "--html", "rent.html")
    assert ran.returncode == 0, ran.stderr
    page = (project / "rent.html").read_text()
    assert page.count("role=img") == 2
    for section in ("Data and inputs", "Outputs", "Metrics", "Parity", "Precision", "Lineage", "Limits"):
        assert f"<h2>{section}" in page
    assert page.count("<svg class=spark") == 3  # two features and the value
    assert "http" not in page.replace("http-equiv", "")


def test_bundle_that_was_changed_is_not_shown(project: Path) -> None:
    _serinus(project, "package", "models/rent.joblib", "--name", "rent", "--sample", "models/rent.csv")
    next(project.glob("bundles/rent/*/model.onnx")).write_bytes(b"tampered")
    ran = _serinus(project, "inspect", "rent")
    assert ran.returncode == 1
    assert "was changed after packaging" in ran.stderr


def test_a_candidate_is_a_bundle_that_no_pin_names(project: Path) -> None:
    given = ("--name", "rent", "--sample", "models/rent.csv")
    assert _serinus(project, "package", "models/rent.joblib", *given).returncode == 0
    before = (project / "serinus.lock").read_bytes()
    (project / "serinus.toml").write_text("")
    rows = pd.read_csv(project / "models" / "rent.csv")
    joblib.dump(LinearRegression().fit(rows, rows["size"] * 3), project / "new.joblib")

    ran = _serinus(project, "package", "new.joblib", *given, "--candidate", "--json")

    assert ran.returncode == 0, ran.stderr
    version = json.loads(ran.stdout)["version"]
    assert (project / "bundles" / "rent" / version[:12] / "card.md").exists()
    assert (project / "serinus.lock").read_bytes() == before
    assert (project / "serinus.toml").read_text() == ""
    assert f"rent {version[:12]} is a candidate; serinus.lock still pins" in ran.stderr
    assert "Next: serinus rehearse rent" in ran.stderr
    assert "pinned for dev" not in ran.stderr


def test_dry_run_writes_nothing(project: Path) -> None:
    ran = _serinus(project, "package", "models", "--dry-run")
    assert ran.returncode == 0, ran.stderr
    assert "float64" in ran.stdout
    assert not (project / "bundles").exists()
    assert (project / "serinus.toml").read_text() == ""


@pytest.mark.parametrize(
    ("source", "sample", "code"),
    [
        ("models/absent.onnx", "models/rent.csv", 3),
        ("models/rent.joblib", "absent.csv", 4),
        ("models/rent.joblib", "", 4),
    ],
)
def test_exit_code_tells_the_kind_of_failure(project: Path, source: str, sample: str, code: int) -> None:
    given = ["--sample", sample] if sample else []
    ran = _serinus(project, "package", source, "--name", "rent", *given)
    assert ran.returncode == code, ran.stderr
    assert ran.stdout == ""


@pytest.mark.parametrize("file", ["requirements.txt", "training/versions"])
def test_a_file_is_not_an_environment(project: Path, file: str) -> None:
    ran = _serinus(project, "package", "models/rent.joblib", "--name", "rent", "--env", file)
    assert ran.returncode == 2
    assert f"--env {file} is not the name of an environment" in ran.stderr
    assert f"use --requirements {file}" in ran.stderr


def test_a_card_is_not_cut(project: Path) -> None:
    _serinus(project, "package", "models/rent.joblib", "--name", "rent", "--sample", "models/rent.csv")
    (card,) = project.glob("bundles/rent/*/card.md")
    sentence = max((line for line in card.read_text().splitlines() if "|" not in line), key=len)
    assert len(sentence) > 80
    shown = _serinus(project, "inspect", "rent", "--card").stdout
    assert sentence.split()[-1] in shown
