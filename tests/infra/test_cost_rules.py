from pathlib import Path

import pytest

from serinus.infra.lint import lint

BASE = '[project]\nname = "shop"\n[endpoint.churn]\n'


@pytest.mark.parametrize(
    ("memory_mb", "kept", "dollars"), [(1024, 5, "19.77"), (2048, 3, "23.72")]
)  # fmt: skip
def test_snapshots_of_many_versions_are_a_warning_with_their_price(
    tmp_path: Path, memory_mb: int, kept: int, dollars: str
) -> None:
    rollout = f"[endpoint.churn.rollout]\nkeep_versions = {kept}\n"
    (tmp_path / "serinus.toml").write_text(f'{BASE}cold_start = "snapstart"\nmemory_mb = {memory_mb}\n{rollout}')
    (finding,) = lint(tmp_path, "dev")

    assert (finding.severity, finding.key) == ("warning", "endpoint.churn.rollout.keep_versions")
    assert f"each of the {kept} kept versions" in finding.what
    assert f": {dollars} dollars" in finding.what


@pytest.mark.parametrize(
    "table", ['cold_start = "snapstart"\nrollout.keep_versions = 2\n', "", "memory_mb = 2048\n"]
)
def test_two_versions_and_no_snapshots_are_not(tmp_path: Path, table: str) -> None:
    (tmp_path / "serinus.toml").write_text(BASE + table)

    assert lint(tmp_path, "dev") == []
