"""A day of traffic in an offline cloud of its own: stock CDK CLI, real functions, collector, monitor and alarm."""

import json
import shutil
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.cdk, pytest.mark.slow]


def test_drift_is_found_by_its_column_with_alarm_and_page(bundle, tmp_path):
    project = tmp_path / "shop"
    serinus = [sys.executable, "-m", "serinus"]
    subprocess.run([*serinus, "init", str(project)], check=True, capture_output=True)
    shutil.copytree(bundle.parents[1], project / "bundles")
    lock = (bundle.parents[2] / "serinus.lock").read_text()
    (project / "serinus.lock").write_text(lock)
    (project / "serinus.toml").write_text('[project]\nname = "shop"\n\n[endpoint.churn]\n')
    done = subprocess.run(
        [*serinus, "simulate", "churn", "--days", "1", "--drift", "age:+1sd", "--seed", "3", "--json"],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=800,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    assert found["outcome"] == "as_expected"
    assert found["drifts"][0]["found_after_hours"] <= 12
    # The alarm is looked at two minutes after the monitor.
    assert found["drifts"][0]["alarm_hour"] == found["drifts"][0]["found_after_hours"] - 1
    assert (found["failed_requests"], found["rows"]) == (0, 24_000)
    assert found["report"]["coverage"] == {"counted": 96, "invoked": 96}
    assert found["report"]["baselines"][0]["rows"] == 24_000
    page = (project / ".serinus" / "simulations" / "churn.html").read_text()
    assert "drift found" in page
    assert not list(project.glob("cdk.out*"))
