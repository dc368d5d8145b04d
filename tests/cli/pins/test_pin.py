"""`serinus pin` writes the lock, shows what changes, and leaves a whole lock however it ends."""

import io
import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from serinus.cli.errors import CliError
from serinus.cli.pin_change import plan_pin, write_change
from serinus.lambda_handlers.contract.lock import LOCK, read_lock


def test_the_newest_candidate_is_pinned_and_the_change_is_shown(
    shop: Any, run: Any, holdout: Callable[[float], Mapping[str, Any]]
) -> None:
    old = shop.package("a", 9, **holdout(0.91))
    new = shop.package("bb", 11, **holdout(0.94))
    shop.pin("dev", old)

    done = run("pin", "risk")

    assert done.code == 0, done.err
    assert shop.pinned("dev") == new
    (accuracy,) = (line for line in done.out.splitlines() if line.startswith("holdout accuracy"))
    assert accuracy.split()[-2:] == ["0.91", "0.94"]
    assert "signature: unchanged" in done.out
    assert f"serinus.lock now pins risk {new[:12]} for dev" in done.err


def test_a_version_is_pinned_by_its_beginning_even_if_it_is_older(shop: Any, run: Any) -> None:
    old, new = shop.package("a", 9), shop.package("b", 10)
    shop.pin("dev", new)

    assert run("pin", "risk", old[:10], "--env", "prod").code == 0
    assert (shop.pinned("prod"), shop.pinned("dev")) == (old, new)


def test_other_pins_stay(shop: Any, run: Any) -> None:
    shop.pin("dev", shop.package("other", 8, model="spam"), "spam")
    spam = shop.pinned("dev", "spam")
    risk = shop.package("a", 9)

    assert run("pin", "risk").code == 0
    assert (shop.pinned("dev", "spam"), shop.pinned("dev")) == (spam, risk)


def test_older_candidates_are_named(shop: Any, run: Any) -> None:
    old, new = shop.package("a", 9), shop.package("b", 10)

    done = run("pin", "risk")

    assert f"{new[:12]} (packaged 2026-11-30 10:00:00) is the newest candidate; older ones: {old[:12]}" in done.err


def test_without_a_candidate_there_is_nothing_to_do_and_other_bundles_are_listed(shop: Any, run: Any) -> None:
    old, pinned = shop.package("a", 9), shop.package("b", 10)
    shop.pin("dev", pinned)
    before = (shop.folder / LOCK).read_bytes()

    done = run("pin", "risk")

    assert (done.code, done.out) == (0, "")
    assert (
        f"nothing to do: serinus.lock pins risk {pinned[:12]} for dev already, and no bundle of risk is"
        in done.err
    )
    assert f"{old[:12]} (packaged 2026-11-30 09:00:00)" in done.err
    assert (shop.folder / LOCK).read_bytes() == before
    assert json.loads(run("pin", "risk", "--json").out)["changed"] is False


def test_a_pin_is_removed_and_other_pins_stay(shop: Any, run: Any) -> None:
    spam, old = shop.package("other", 8, model="spam"), shop.package("a", 9)
    shop.pin("prod", spam, "spam")
    shop.pin("prod", old)
    shop.pin("dev", old)

    done = run("pin", "risk", "--remove", "--env", "prod", "--yes")

    assert done.code == 0, done.err
    assert f"serinus.lock no longer pins risk for prod (it was {old[:12]})" in done.err
    lock = read_lock(shop.folder / LOCK)
    assert {name: set(models) for name, models in lock.items()} == {"prod": {"spam"}, "dev": {"risk"}}
    assert run("pin", "risk", old, "--env", "prod").code == 0, "the bundle is still there"


def test_the_last_pin_is_removed(shop: Any, run: Any) -> None:
    shop.pin("dev", shop.package("a", 9))

    assert json.loads(run("pin", "risk", "--remove", "--yes", "--json").out)["version"] is None

    assert read_lock(shop.folder / LOCK) == {}
    again = run("pin", "risk", "--remove", "--yes")
    assert (again.code, again.out) == (1, "")
    assert "serinus.lock pins no bundle of model risk for dev (it pins: none)." in again.err


def test_removing_the_pin_of_an_endpoint_requires_a_confirmation(shop: Any, run: Any) -> None:
    version = shop.package("a", 9)
    shop.pin("dev", version)

    done = run("pin", "risk", "--remove")

    assert done.code != 0
    assert "--yes" in done.err
    assert shop.pinned("dev") == version


def test_nothing_to_pin_is_an_error(shop: Any, run: Any) -> None:
    shop.pin("dev", shop.package("a", 9))

    done = run("pin", "risk", "--env", "prod")

    assert (done.code, done.out) == (1, "")
    assert "nothing to pin for prod, and no bundle of risk is newer and pinned nowhere" in done.err
    assert shop.pinned("prod") is None


def test_the_same_pin_is_nothing_to_do(shop: Any, run: Any) -> None:
    version = shop.package("a", 9)
    shop.pin("dev", version)
    before = (shop.folder / LOCK).read_bytes()

    done = run("pin", "risk", version)

    assert (done.code, done.out) == (0, "")
    assert f"nothing to do: serinus.lock pins risk {version[:12]} for dev already" in done.err
    assert (shop.folder / LOCK).read_bytes() == before


def test_a_changed_signature_is_shown_with_what_breaks_callers(shop: Any, run: Any) -> None:
    shop.pin("dev", shop.package("a", 9, features=("age", "income")))
    version = shop.package("b", 10, features=("age", "debt"))

    asked = run("pin", "risk")
    assert (asked.code, "--yes is required to confirm this" in asked.err) == (2, True)
    assert version not in (shop.folder / LOCK).read_text()
    done = run("pin", "risk", "--yes")

    assert version in (shop.folder / LOCK).read_text()
    assert "signature: new features: debt" in done.out
    assert "signature: removed features: income" in done.out
    assert "breaks callers: feature 'income' was removed, so requests that contain it are rejected" in done.out
    assert "unless rollout.allow_breaking is set" in done.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("risk", "--from", "dev"), "--from needs --to"),
        (("risk", "--to", "prod"), "--to needs --from"),
        (("risk", "--from", "dev", "--to", "dev"), "--from and --to are both dev"),
        (("risk", "abc", "--from", "dev", "--to", "prod"), "VERSION is abc. Leave one out"),
        (("risk", "--from", "dev", "--to", "prod", "--env", "prod"), "Leave --env out"),
        (
            ("risk", "nowhere"),
            "VERSION 'nowhere' is neither a bundle's folder nor the start of exactly one version",
        ),
        (("risq",), "bundles/ has no bundle of model risq; it has risk"),
        (("My Risk",), "MODEL 'My Risk' is not the name of a model: lower-case letters, digits and hyphens"),
        (("scoring",), "endpoint scoring serves model risk, and pins are of models: serinus pin risk"),
    ],
)
def test_wrong_usage_is_one_sentence_and_writes_nothing(
    shop: Any, run: Any, arguments: tuple[str, ...], says: str
) -> None:
    with (shop.folder / "serinus.toml").open("a") as settings:
        settings.write('[endpoint.scoring]\nmodel = "risk"\n')
    shop.package("a", 9)

    done = run("pin", *arguments)

    assert (done.code, done.out) == (2, "")
    assert says in " ".join(done.err.split())
    assert not (shop.folder / LOCK).exists()


def test_an_unknown_environment_is_refused(shop: Any, run: Any) -> None:
    shop.pin("dev", shop.package("a", 9))

    for arguments in (("--env", "stage"), ("--from", "dev", "--to", "stage"), ("--from", "stage", "--to", "prod")):
        done = run("pin", "risk", *arguments, "--yes")
        assert done.code == 1
        assert "serinus.toml has no environment 'stage'" in done.err
    assert list(read_lock(shop.folder / LOCK)) == ["dev"]


def test_a_changed_bundle_is_refused(shop: Any, run: Any) -> None:
    version = shop.package("a", 9)
    (shop.folder / "bundles" / "risk" / version[:12] / "model.onnx").write_bytes(b"another")

    for arguments in ((), (version[:12],)):
        done = run("pin", "risk", *arguments)
        assert done.code in (1, 2)
        assert "was changed after packaging" in done.err
    assert not (shop.folder / LOCK).exists()


def test_one_environment_gets_the_bundle_of_another(shop: Any, run: Any) -> None:
    old, new = shop.package("a", 9), shop.package("bb", 10)
    shop.pin("prod", old)
    shop.pin("dev", new)

    done = run("pin", "risk", "--from", "dev", "--to", "prod", "--yes")

    assert done.code == 0, done.err
    assert (shop.pinned("prod"), shop.pinned("dev")) == (new, new)
    assert [line.split() for line in done.out.splitlines() if line.startswith("version")] == [
        ["version", old[:12], new[:12]]
    ]
    assert "serinus deploy --env prod releases risk" in done.err
    again = run("pin", "risk", "--from", "dev", "--to", "prod")
    assert (again.code, again.out) == (0, "")
    assert "nothing to do" in again.err


def test_between_environments_a_program_must_pass_yes(
    shop: Any, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.pin("dev", shop.package("a", 9))
    monkeypatch.setattr(sys, "stdin", io.StringIO())

    done = run("pin", "risk", "--from", "dev", "--to", "prod")

    assert done.code == 2
    assert "--yes is required to confirm this. Nothing was changed." in done.err
    assert shop.pinned("prod") is None


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1)])
def test_a_person_is_asked(shop: Any, answer: str, code: int) -> None:
    version = shop.package("a", 9)
    shop.pin("dev", version)
    controller, terminal = pty.openpty()
    try:
        asked = subprocess.Popen(
            [sys.executable, "-m", "serinus", "pin", "risk", "--from", "dev", "--to", "prod"],
            cwd=shop.folder,
            stdin=terminal,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        os.write(controller, answer.encode())
        out, err = asked.communicate(timeout=120)
    finally:
        os.close(terminal)
        os.close(controller)

    assert asked.returncode == code, err
    assert version[:12] in out
    assert f"Pin risk {version[:12]} for prod?" in err
    assert shop.pinned("prod") == (version if code == 0 else None)


def test_a_source_without_a_pin_is_named(shop: Any, run: Any) -> None:
    shop.pin("prod", shop.package("a", 9))

    done = run("pin", "risk", "--from", "dev", "--to", "local", "--yes")

    assert done.code == 1
    assert "serinus.lock pins no bundle of model risk for dev (it pins: none)" in done.err
    assert "Environments that pin it: prod" in done.err


def test_a_missing_bundle_of_the_source_is_named(shop: Any, run: Any) -> None:
    shop.package("b", 10)
    shop.pin("dev", "a" * 64)

    done = run("pin", "risk", "--from", "dev", "--to", "prod", "--yes")

    assert done.code == 1
    assert "bundles/risk/aaaaaaaaaaaa is not a bundle: model.json is missing" in done.err
    assert shop.pinned("prod") is None


def test_a_pinned_bundle_that_is_not_here_is_said_and_can_be_replaced(shop: Any, run: Any) -> None:
    shop.pin("dev", "a" * 64)
    version = shop.package("b", 10)

    done = run("pin", "risk", version)

    assert done.code == 0
    assert "bundles/risk/aaaaaaaaaaaa, which is pinned now, is not on this machine" in done.out
    assert shop.pinned("dev") == version


def test_a_model_that_no_endpoint_serves_gets_one(shop: Any, run: Any) -> None:
    shop.package("b", 10, model="spam")
    before = (shop.folder / "serinus.toml").read_text()

    done = run("pin", "spam")

    assert done.code == 0, done.err
    assert "added to serinus.toml: [endpoint.spam]" in done.err
    assert "nothing deploys this pin yet" not in done.err
    assert (shop.folder / "serinus.toml").read_text() == f"{before}\n[endpoint.spam]\n"


def test_a_pin_that_no_endpoint_of_the_environment_serves_is_said(shop: Any, run: Any) -> None:
    with (shop.folder / "serinus.toml").open("a") as settings:
        settings.write('[endpoint.spam]\nenvironments = ["prod"]\n')
    shop.package("b", 10, model="spam")

    done = run("pin", "spam")

    assert done.code == 0
    assert "no endpoint of serinus.toml serves spam in dev: nothing deploys this pin yet" in done.err


def test_as_data_it_is_one_document(shop: Any, run: Any) -> None:
    old, new = shop.package("a", 9), shop.package("b", 10)
    shop.pin("prod", old)
    shop.pin("dev", new)

    done = run("pin", "risk", "--from", "dev", "--to", "prod", "--yes", "--json")

    data = json.loads(done.out)
    assert {key: data[key] for key in ("model", "environment", "version", "previous_version", "changed")} == {
        "model": "risk",
        "environment": "prod",
        "version": new,
        "previous_version": old,
        "changed": True,
    }
    assert data["comparison"]["figures"]["version"] == {"before": old[:12], "after": new[:12]}


def test_a_pin_that_changed_meanwhile_is_not_overwritten(shop: Any) -> None:
    old, new, third = (shop.package(name, hour) for name, hour in (("a", 9), ("b", 10), ("c", 11)))
    shop.pin("dev", old)
    change = plan_pin(shop.folder, "dev", "risk", new)
    shop.pin("dev", third)

    with pytest.raises(CliError, match="another command changed the pin of risk for dev meanwhile"):
        write_change(shop.folder, change)

    assert shop.pinned("dev") == third


def test_pins_set_at_once_are_all_kept(shop: Any) -> None:
    models = [f"model-{number}" for number in range(4)]
    versions = {model: shop.package("a", 9, model=model) for model in models}
    commands = [
        subprocess.Popen(
            [sys.executable, "-m", "serinus", "pin", model],
            cwd=shop.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for model in models
    ]
    for command in commands:
        _, err = command.communicate(timeout=120)
        assert command.returncode == 0, err

    assert {model: shop.pinned("dev", model) for model in models} == versions


STUCK = """
import sys, time
from pathlib import Path
from serinus.lambda_handlers.contract.lock import Pin
from serinus.modelpack import atomic, locking
def stuck(path, content):
    (path.parent / f".{path.name}.0a0a0a0a").write_bytes(content[: len(content) // 2])
    print("writing", flush=True)
    time.sleep(600)
locking.write_file = stuck
locking.pin_bundle(Path(sys.argv[1]), "dev", "risk", Pin("f" * 64, "bundles/risk/f"))
"""


def test_a_command_that_was_killed_while_it_wrote_leaves_the_lock_whole_and_the_next_removes_its_draft(
    shop: Any, run: Any
) -> None:
    old = shop.package("a", 9)
    shop.pin("dev", old)
    new = shop.package("b", 10)
    writing = subprocess.Popen(
        [sys.executable, "-c", STUCK, str(shop.folder)], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert writing.stdout is not None
    assert writing.stdout.readline() == "writing\n"
    writing.send_signal(signal.SIGKILL)
    writing.communicate(timeout=60)
    assert list(shop.folder.glob(f".{LOCK}.*"))
    assert shop.pinned("dev") == old

    assert run("pin", "risk").code == 0

    assert shop.pinned("dev") == new
    assert not list(shop.folder.glob(f".{LOCK}.*"))


def test_the_lock_is_written_once_the_other_command_has_written(shop: Any) -> None:
    """The guard is held by another process for the whole of its change."""
    version = shop.package("a", 9)
    holding = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, pathlib\nfrom serinus.modelpack.locking import changing_pins\n"
            "from serinus.lambda_handlers.contract.lock import Pin\n"
            "with changing_pins(pathlib.Path(sys.argv[1])) as lock:\n"
            "    print('held', flush=True)\n    sys.stdin.readline()\n"
            "    lock.setdefault('dev', {})['spam'] = Pin('e' * 64, 'bundles/spam/e')\n",
            str(shop.folder),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holding.stdout is not None
    assert holding.stdout.readline() == "held\n"
    waiting = subprocess.Popen(
        [sys.executable, "-m", "serinus", "pin", "risk"], cwd=shop.folder, stderr=subprocess.PIPE, text=True,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    time.sleep(0.2)
    holding.communicate("go\n", timeout=60)
    _, err = waiting.communicate(timeout=120)

    assert waiting.returncode == 0, err
    assert (shop.pinned("dev"), shop.pinned("dev", "spam")) == (version, "e" * 64)
