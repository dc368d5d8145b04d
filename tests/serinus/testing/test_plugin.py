"""The fixtures: errors are a sentence, a project's own fixtures win, and the plugin costs others nothing."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

ENDPOINTS = "\n[endpoint.churn]\n[endpoint.risk]\n"


def write_test(folder: Path, text: str, file: str = "test_own.py") -> None:
    (folder / "tests" / "test_endpoint.py").unlink(missing_ok=True)
    (folder / file).write_text(text)


def test_loading_it_imports_nothing_else_of_ours() -> None:
    code = (
        "import sys, pytest; before = {*sys.modules}; import serinus.testing.plugin; "
        "print(sorted({*sys.modules} - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "['serinus', 'serinus.testing', 'serinus.testing.plugin']", done.stderr


def test_a_run_that_uses_no_fixture_of_ours_starts_nothing(run_tests, tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text(
        "import sys\n\ndef test_modules():\n"
        "    ours = {name for name in sys.modules if name.startswith('serinus')}\n"
        "    assert ours == {'serinus', 'serinus.testing', 'serinus.testing.plugin'}\n"
    )
    done = run_tests(tmp_path)
    assert done.returncode == 0, done.stdout


def test_the_written_tests_are_skipped_before_anything_is_packaged(run_tests, project: Path) -> None:
    done = run_tests(project, "-rs")
    assert done.returncode == 0, done.stdout
    assert "2 skipped" in done.stdout
    assert "serinus.toml has no endpoint yet: `serinus package MODEL --name NAME" in done.stdout


def test_a_folder_without_a_project_is_an_error_of_one_sentence(run_tests, tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text("def test_it(endpoint): pass\n")
    done = run_tests(tmp_path)
    assert done.returncode == 1
    assert f"no serinus.toml in {tmp_path} or in a folder above it. `serinus init` writes one." in done.stdout
    assert "Traceback" not in done.stdout
    assert "serinus/testing" not in done.stdout


def test_the_project_may_be_named(run_tests, project: Path) -> None:
    (project / "conftest.py").write_text(
        "import pytest\n\n@pytest.fixture(scope='session')\ndef serinus_project(tmp_path_factory):\n"
        "    return tmp_path_factory.mktemp('elsewhere')\n"
    )
    done = run_tests(project)
    assert re.search(r"no serinus\.toml in \S*elsewhere0 or", done.stdout)


def test_the_environment_may_be_named(run_tests, project: Path) -> None:
    (project / "conftest.py").write_text(
        "import pytest\n\n@pytest.fixture(scope='session')\ndef serinus_environment():\n    return 'prod'\n"
    )
    done = run_tests(project)
    assert "serinus.toml has no environment 'prod'; known: dev, local." in done.stdout


def test_settings_that_are_wrong_are_shown(run_tests, project: Path) -> None:
    (project / "serinus.toml").write_text('[project]\nname = "shop"\n[endpoint.churn]\nmemory_mb = "much"\n')
    done = run_tests(project)
    assert done.returncode == 1
    assert "serinus.toml has 1 error:" in done.stdout
    assert "memory_mb" in done.stdout
    assert "serinus/testing" not in done.stdout


def test_a_projects_own_fixtures_win_and_ours_do_not_depend_on_them(run_tests, project: Path) -> None:
    write_test(
        project,
        "import pytest\n\n@pytest.fixture\ndef cloud():\n    return 'mine'\n\n"
        "def test_own(cloud):\n    assert cloud == 'mine'\n\ndef test_ours(endpoint):\n    pass\n",
    )
    done = run_tests(project, "-rs")
    assert done.returncode == 0, done.stdout
    assert "1 passed, 1 skipped" in done.stdout
    assert "has no endpoint yet" in done.stdout


@pytest.mark.slow
def test_a_machine_without_node_is_an_error_of_one_sentence(run_tests, project: Path) -> None:
    with (project / "serinus.toml").open("a") as settings:
        settings.write("\n[endpoint.churn]\n")
    done = run_tests(project, variables={"PATH": str(project)})
    assert done.returncode == 1
    assert "Node was not found; the CDK CLI needs Node 20 or later. `serinus doctor` says" in done.stdout
    assert "serinus/testing" not in done.stdout


@pytest.mark.slow
def test_what_cannot_be_deployed_is_an_error_of_one_sentence(run_tests, project: Path) -> None:
    with (project / "serinus.toml").open("a") as settings:
        settings.write(ENDPOINTS)
    write_test(
        project,
        "import pytest\n\n"
        "def test_no_choice(endpoint): pass\n\n"
        "@pytest.mark.parametrize('endpoint', ['other'], indirect=True)\ndef test_unknown(endpoint): pass\n\n"
        "@pytest.mark.parametrize('endpoint', ['risk'], indirect=True)\ndef test_unpinned(endpoint): pass\n\n"
        "def test_mapping(endpoints):\n"
        "    assert list(endpoints) == ['churn', 'risk']\n"
        "    with pytest.raises(KeyError, match='it has churn, risk'):\n        endpoints['other']\n\n"
        "def test_cloud(cloud):\n"
        "    assert cloud.client('sts').get_caller_identity()['Account'] == '123456789012'\n"
        "    assert cloud.variables()['AWS_ENDPOINT_URL'] == cloud.url\n",
    )
    done = run_tests(project)
    assert "serinus.toml has several endpoints (churn, risk). Name one: @pytest.mark.parametrize(" in done.stdout
    assert "no endpoint 'other' in serinus.toml; it has churn, risk." in done.stdout
    assert re.search(r"serinus\.lock .*risk|risk .*serinus\.lock", done.stdout)
    assert "2 passed, 3 errors" in done.stdout, done.stdout
    assert "serinus/testing" not in done.stdout


@pytest.mark.slow
def test_each_worker_of_xdist_has_a_cloud_of_its_own(run_tests, project: Path) -> None:
    with (project / "serinus.toml").open("a") as settings:
        settings.write("\n[endpoint.churn]\n")
    write_test(
        project,
        "import pathlib\nimport pytest\n\n"
        "@pytest.mark.parametrize('worker', ['a', 'b'])\ndef test_it(cloud, worker):\n"
        "    cloud.client('sts').get_caller_identity()\n"
        "    pathlib.Path(f'{worker}.url').write_text(cloud.url)\n",
    )
    done = run_tests(project, "-n", "2")
    assert done.returncode == 0, done.stdout
    urls = {(project / f"{worker}.url").read_text() for worker in "ab"}
    assert len(urls) == 2
    assert not any(answers(url) for url in urls)


@pytest.mark.slow
def test_the_cloud_ends_with_the_tests_even_if_they_are_killed(project: Path, tmp_path: Path) -> None:
    with (project / "serinus.toml").open("a") as settings:
        settings.write("\n[endpoint.churn]\n")
    seen = tmp_path / "seen.json"
    write_test(
        project,
        "import json, os, pathlib, time\n\ndef test_it(cloud):\n"
        f"    path = pathlib.Path({str(seen)!r})\n"
        "    path.with_suffix('.part').write_text(json.dumps({'url': cloud.url, 'pid': os.getpid()}))\n"
        "    path.with_suffix('.part').rename(path)\n"
        "    time.sleep(300)\n",
    )
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--basetemp", str(tmp_path / "pytest")]
    with subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as tests:
        try:
            wait_for(seen.exists)
            told = json.loads(seen.read_text())
            assert httpx.get(f"{told['url']}/_offline/health", trust_env=False).status_code == 200
            os.kill(tests.pid, signal.SIGKILL)
        finally:
            tests.kill()
    wait_for(lambda: not answers(told["url"]))
    wait_for(lambda: not list((tmp_path / "pytest").rglob("cloud-*.json")))


def wait_for(condition, limit_s: float = 120.0) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def answers(url: str) -> bool:
    try:
        httpx.get(f"{url}/_offline/health", trust_env=False, timeout=2.0)
    except httpx.TransportError:
        return False
    return True
