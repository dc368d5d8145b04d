"""What cannot be rehearsed is refused in one line before a cloud is started, with the exit code that says whose
mistake it is: 2 for a value on the command line, 1 for the project."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from serinus.cli.main import main
from serinus.infra.settings import load_settings
from serinus.lambda_handlers.contract.bundle import (
    BASELINE,
    GOLDEN,
    GRAPH,
    MANIFEST,
    Golden,
    Manifest,
    compute_version,
    dump_json,
)
from serinus.lambda_handlers.contract.lock import LOCK, Pin, render_lock
from serinus.lambda_handlers.contract.signature import Feature, Output, Signature, Tensor
from serinus.lambda_handlers.contract.tolerance import Tolerance

SIGNATURE = Signature(
    task="regression",
    features=(Feature("age", "float32"),),
    tensors=(Tensor("X", "float32", ("age",)),),
    outputs=(Output("variable", "float32", "value", (None,)),),
)
Refused = Callable[..., str]
CHECKOUT = Path(__file__).resolve().parents[3]


def write_bundle(folder: Path, model: str) -> str:
    """A bundle of ``model`` in ``folder``; its version."""
    manifest = Manifest(model, "", SIGNATURE, "float32", Tolerance(), "scikit-learn").to_json()
    golden = dump_json(Golden(({"age": 40.0},), {"variable": [1.0]}).to_json())
    version = compute_version(b"graph", manifest, b"{}\n", golden)
    files = {
        GRAPH: b"graph",
        MANIFEST: dump_json({**manifest, "version": version}),
        BASELINE: b"{}\n",
        GOLDEN: golden,
    }
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return version


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with endpoint churn, whose bundle is pinned, in the working folder."""
    folder = tmp_path / "shop"
    version = write_bundle(folder / "bundles" / "churn" / "now", "churn")
    (folder / "serinus.toml").write_text('[project]\nname = "shop"\n\n[endpoint.churn]\n')
    (folder / LOCK).write_text(render_lock({"dev": {"churn": Pin(version, "bundles/churn/now")}}))
    assert load_settings(folder / "serinus.toml", "dev").endpoints
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def refused(shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Refused:
    """Run `serinus rehearse` with arguments that must be refused; what it says."""
    del shop

    def run(*arguments: str, code: int = 2) -> str:
        monkeypatch.setattr(sys, "argv", ["serinus", "rehearse", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out, said = capsys.readouterr()
        assert (ended.value.code, out) == (code, "")
        assert "Traceback" not in said
        assert "starting an offline cloud" not in said
        return said

    return run


def one_line(said: str) -> str:
    (line,) = said.splitlines()
    return line


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("flood", "is not a fault; use one of errors=20%, latency=+300ms,"),
        ("errors", "errors takes a share of requests in percent, such as errors=20%"),
        ("errors=abc", "errors takes a share of requests in percent, such as errors=20%"),
        ("errors=200%", "the share must be above 0 % and at most 100 %"),
        ("errors=0%", "the share must be above 0 % and at most 100 %"),
        ("latency=300", "latency takes a delay in ms or s, such as latency=+300ms"),
        ("latency=-300ms", "latency takes a delay in ms or s, such as latency=+300ms"),
        ("latency=0ms", "the delay must be above 0 ms and at most 30000 ms"),
        ("latency=1000s", "the delay must be above 0 ms and at most 30000 ms"),
        ("crash=50%", "crash takes no amount: the worker crashes on a fifth of the requests"),
        ("nan=1", "nan takes no amount"),
    ],
)
def test_a_fault_that_there_is_not(refused: Refused, fault: str, says: str) -> None:
    said = one_line(refused("churn", "--inject", fault))
    assert f"--inject '{fault}'" in said
    assert says in said


def test_no_fault_at_all_is_no_fault(refused: Refused) -> None:
    assert "is not a fault" in one_line(refused("churn", "--inject", ""))


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--rate", "0", "greater than or equal to 1"),
        ("--rate", "-5", "greater than or equal to 1"),
        ("--rate", "1e9", "less than or equal to 2000"),
        ("--rate", "nan", "'--rate'"),
        ("--speed", "0", "greater than or equal to 1"),
        ("--speed", "10000", "less than or equal to 600"),
        ("--speed", "fast", "valid number"),
    ],
)
def test_a_pace_that_cannot_be(refused: Refused, option: str, value: str, says: str) -> None:
    said = " ".join(refused("churn", option, value).split())
    assert f"'{option}'" in said
    assert says in said


def test_time_is_either_skipped_or_sped_up(refused: Refused) -> None:
    assert "--stepped excludes --speed" in one_line(refused("churn", "--stepped", "--speed", "30"))


def test_a_reading_that_there_is_not(refused: Refused, tmp_path: Path) -> None:
    said = one_line(refused("churn", "--reading", "hooks-in-rollback=maybe"))
    assert "reading hooks-in-rollback is 'maybe'; it must be yes, no; docs/offline.md lists them." in said
    (tmp_path / "readings.json").write_text('{"hooks": "no"}')
    assert "'hooks' is not a reading" in one_line(refused("churn", "--readings", str(tmp_path / "readings.json")))


def test_a_candidate_that_is_missing(refused: Refused) -> None:
    for named in ("nowhere", ""):
        said = one_line(refused("churn", "--candidate", named))
        assert f"--candidate {named!r} is neither a bundle's folder nor the start of exactly one version" in said
        assert "bundles/churn has now" in said


def test_a_candidate_that_is_no_bundle(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "is not a bundle: model.json is missing" in one_line(
        refused("churn", "--candidate", str(tmp_path / "empty"))
    )


@pytest.mark.parametrize("by_version", [False, True])
def test_a_candidate_that_was_changed(refused: Refused, shop: Path, by_version: bool) -> None:
    corrupt = shop / "bundles" / "churn" / "corrupt"
    shutil.copytree(shop / "bundles" / "churn" / "now", corrupt)
    (corrupt / GRAPH).write_bytes(b"another graph")
    named = "corrupt" if by_version else str(corrupt)
    said = one_line(refused("churn", "--candidate", named))
    assert f"--candidate {named}:" in said
    assert "changed" in said


def test_a_candidate_of_another_model(refused: Refused, tmp_path: Path) -> None:
    write_bundle(tmp_path / "other", "fraud")
    said = one_line(refused("churn", "--candidate", str(tmp_path / "other")))
    assert "holds a bundle of fraud; the endpoint serves churn" in said


def test_an_endpoint_that_there_is_not(refused: Refused) -> None:
    said = one_line(refused("chrun", code=1))
    assert "no endpoint 'chrun' in serinus.toml for 'dev'; it has churn" in said


def test_an_environment_that_there_is_not(refused: Refused) -> None:
    assert "has no environment 'prod'" in one_line(refused("churn", "--env", "prod", code=1))


def test_a_model_that_was_not_packaged_yet(refused: Refused, shop: Path) -> None:
    (shop / LOCK).unlink()
    said = one_line(refused("churn", code=1))
    assert "churn" in said
    assert "`serinus pin churn` pins one of bundles/churn" in said


def test_slow_starts_where_none_are_compared(refused: Refused, shop: Path) -> None:
    shutil.copy2(CHECKOUT / "package.json", shop)
    (shop / "node_modules").symlink_to(CHECKOUT / "node_modules")
    with (shop / "serinus.toml").open("a") as settings:
        settings.write('cold_start = "snapstart"\n')
    said = refused("churn", "--inject", "slow-init").splitlines()[-1]
    assert said.startswith("error: --inject slow-init has no effect with ")
    assert 'with cold_start = "snapstart"' in said


def test_a_report_in_a_folder_that_there_is_not(refused: Refused, shop: Path) -> None:
    said = one_line(refused("churn", "--html", "reports/today.html"))
    assert "there is no folder reports" in said
    assert not (shop / "reports").exists()


def test_a_report_beneath_a_file(refused: Refused) -> None:
    assert "there is no folder serinus.toml" in one_line(refused("churn", "--html", "serinus.toml/today.html"))


def test_a_report_that_is_a_folder(refused: Refused) -> None:
    assert "is a folder. Name a file in it" in one_line(refused("churn", "--html", "bundles"))


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that even root cannot write to")
def test_a_report_in_a_folder_that_is_not_writable(refused: Refused) -> None:
    assert "/proc cannot be written to" in one_line(refused("churn", "--html", "/proc/today.html"))


def test_refusals_leave_no_file_behind(refused: Refused, shop: Path) -> None:
    before = sorted(shop.iterdir())
    refused("churn", "--html", "today.html", "--inject", "flood")
    assert sorted(shop.iterdir()) == before
