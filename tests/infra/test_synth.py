import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import pytest

from serinus.infra.assembly import FEATURE_FLAGS
from serinus.infra.errors import InfraError, ReleaseError
from serinus.infra.synth import selected_environment, synthesize

ROOT = Path(__file__).parents[2]


def run_app(project: Any, *, environment: str | None = None) -> "subprocess.CompletedProcess[str]":
    """Run the checkout's app.py in a project, as the CDK CLI does."""
    shutil.copy(ROOT / "app.py", project.folder / "app.py")
    context = {"CDK_CONTEXT_JSON": json.dumps({"env": environment})} if environment else {}
    return subprocess.run(
        [sys.executable, "app.py"],
        cwd=project.folder,
        env={**os.environ, **context, "CDK_VALIDATION": "true", "CDK_OUTDIR": str(project.folder / "out")},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.slow
def test_the_app_writes_stacks_that_pass_the_cdk_librarys_check_where_the_cli_asks_and_says_what_they_cost(
    project: Any,
) -> None:
    project.write_settings(
        '[project]\nname = "shop"\n[endpoint.churn]\n'
        '[env.prod]\naccount = "123456789012"\nregion = "eu-central-1"\n'
    )
    project.package("churn", "prod")

    done = run_app(project, environment="prod")

    assert (done.returncode, done.stdout) == (0, "")
    assert re.fullmatch(r"prod, idle: \d+\.\d\d dollars a month at list prices \(docs/costs\.md\)\n", done.stderr)
    assert (project.folder / "out" / "shop-prod-churn.template.json").exists()
    # The CDK CLI reads it there and protects the stack from deletion.
    manifest = json.loads((project.folder / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["artifacts"]["shop-prod-churn"]["properties"]["terminationProtection"] is True


def test_wrong_settings_reach_the_user_as_plain_lines(project: Any) -> None:
    project.write_settings('[project]\nname = "shop"\n[endpoint.churn]\nmemory_mb = 1\n')

    done = run_app(project)

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "serinus.toml has 1 error:\n"
        "  line 4: endpoint.churn.memory_mb = 1 is not allowed; allowed: a whole number from 128 to 10240\n"
    )


def test_synth_twice_gives_the_same_bytes(project: Any, tmp_path: Path) -> None:
    first, second = (synthesize(project.folder, "dev", tmp_path / name) for name in ("first", "second"))

    def contents(folder: Path) -> dict[str, bytes]:
        return {
            path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
        }

    assert contents(first) == contents(second)


def test_each_endpoint_is_a_stack(new_project: Callable[[str], Any], tmp_path: Path) -> None:
    project = new_project('[project]\nname = "shop"\n[endpoint.churn]\n[endpoint.fraud]\n')
    project.package("churn")
    project.package("fraud")
    project.build()

    folder = synthesize(project.folder, "dev", tmp_path / "out")

    stacks = {path.name.partition(".")[0] for path in folder.glob("*.template.json")}
    assert stacks == {"shop-dev-churn", "shop-dev-fraud"}


def test_what_every_endpoint_lacks_is_said_at_once(new_project: Callable[[str], Any]) -> None:
    project = new_project('[project]\nname = "shop"\n[endpoint.churn]\n[endpoint.fraud]\n')

    with pytest.raises(ReleaseError) as raised:
        synthesize(project.folder, "dev")

    assert [line.split(" for ")[0] for line in str(raised.value).splitlines()] == [
        "serinus.lock pins no bundle of model churn",
        "serinus.lock pins no bundle of model fraud",
    ]


def test_a_project_without_endpoints_is_refused(new_project: Callable[[str], Any]) -> None:
    with pytest.raises(InfraError, match=r"serinus\.toml has no endpoint\. Write \[endpoint\.NAME\]"):
        synthesize(new_project('[project]\nname = "shop"\n').folder, "dev")


@pytest.mark.parametrize(
    ("variables", "environment"),
    [
        ({}, "dev"),
        ({"SERINUS_ENV": "local"}, "local"),
        ({"CDK_CONTEXT_JSON": '{"env": "prod"}', "SERINUS_ENV": "local"}, "prod"),
        ({"CDK_CONTEXT_JSON": "{}", "SERINUS_ENV": ""}, "dev"),
    ],
)
def test_context_chooses_the_environment_then_the_variable_then_dev(
    variables: dict[str, str], environment: str
) -> None:
    assert selected_environment(variables) == environment


def test_reading_settings_does_not_load_the_cdk_library() -> None:
    code = "import sys, serinus.infra.synth; sys.exit('aws_cdk' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


def test_feature_flags_are_those_that_the_installed_cdk_library_recommends() -> None:
    (package,) = (item for item in (files("aws_cdk") / "_jsii").iterdir() if item.name.endswith(".tgz"))
    with as_file(package) as path, tarfile.open(path) as archive:
        member = archive.extractfile("package/recommended-feature-flags.json")
        assert member is not None
        recommended = json.load(member)

    assert json.loads(FEATURE_FLAGS.read_text(encoding="utf-8")) == recommended
