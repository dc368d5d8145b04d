"""`serinus rollback` after a promotion: at once, with lock and stack, so that the next deploy agrees."""

import json
from typing import Any

import pytest

from serinus.lambda_handlers.contract.lock import LOCK, read_lock

pytestmark = [pytest.mark.cdk, pytest.mark.xdist_group("rollback")]

ENDPOINTS = {
    "once": '[endpoint.once.rollout]\nstrategy = "all_at_once"',
    "baked": '[endpoint.baked.rollout]\nstrategy = "canary"\nshare_percent = 20\nbake_minutes = 6',
}
ONCE = {"once": ENDPOINTS["once"]}


def model_of(shop: Any, name: str) -> str:
    """The model version that answers, of one request."""
    answer = shop.ask(name)
    assert answer.status_code == 200
    found: str = answer.headers["x-serinus-model-version"]
    return found


def refused(shop: Any, *arguments: str) -> str:
    """What a command says that ends with exit code 1."""
    done = shop.run("serinus", *arguments, "--local", ok=False)
    assert done.returncode == 1
    said: str = done.stderr
    return said


def test_going_back_after_a_promotion(shop: Any) -> None:
    from train import train

    shop.configure(ENDPOINTS)
    first = shop.version
    shop.deploy()
    assert "version 1 of once is the oldest that is kept, so there is no version to roll back to" in refused(
        shop, "rollback", "once"
    )

    train(shop.folder / "training-2", trees=7)
    second = shop.package("training-2")
    with shop.deploying() as process:
        shop.pass_until(lambda: shop.alias("baked").canary == "2")
        said = refused(shop, "rollback", "baked")
        assert (
            "a release of baked is under way (stack shop-local-baked is UPDATE_IN_PROGRESS). "
            "`serinus rollout stop baked --local` stops it" in said
        )
        shop.pass_until(lambda: process.poll() is not None)
    assert (model_of(shop, "once"), model_of(shop, "baked")) == (second[:12], second[:12])

    for name in ENDPOINTS:
        back = json.loads(shop.run("serinus", "rollback", name, "--local", "--json").stdout)
        assert back == {
            "from_version": "2", "to_version": "1", "model_version": first, "next_deploy_agrees": True
        }  # fmt: skip
        # No time has passed: no bake, no CodeDeploy.
        assert model_of(shop, name) == first[:12]
        assert shop.endpoint_now(name).model_version == first
        assert [one.status for one in shop.releases(name)] == ["Succeeded"]
    assert read_lock(shop.folder / LOCK)["dev"]["tumour"].version == first
    assert "is the oldest that is kept" in refused(shop, "rollback", "once")

    shop.deploy()
    assert shop.statuses() == dict.fromkeys(ENDPOINTS, "UPDATE_COMPLETE")
    for name in ENDPOINTS:
        (newest, _) = shop.releases(name)
        assert (newest.status, newest.stable, newest.canary) == ("Succeeded", "1", "3")
        assert model_of(shop, name) == first[:12]
    shop.deploy()
    assert (shop.folder / "cdk.log").read_text().count("(no changes)") == len(ENDPOINTS)


def test_the_stack_is_told_though_the_bundle_is_gone(shop: Any) -> None:
    """The order of the tests matters not: whatever is live, its predecessor's bundle is hidden."""
    shop.configure(ONCE, revision=2)
    shop.deploy()
    live = shop.alias("once").version
    shop.configure(ONCE, revision=3)
    shop.deploy()
    bundles = shop.folder / "bundles"
    bundles.rename(shop.folder / "hidden")
    try:
        said = refused(shop, "rollback", "once")
    finally:
        (shop.folder / "hidden").rename(bundles)
    assert f"version {live} serves again and its stack is updated, but serinus.lock could not be: " in said
    assert f"Pin tumour {shop.version[:12]} before the next deploy" in said
    assert shop.alias("once").version == live
    shop.deploy()
    assert shop.statuses()["once"] == "UPDATE_COMPLETE"


def test_an_alias_moved_by_hand_alone_is_refused_by_codedeploy(shop: Any) -> None:
    """Why the stack must be told."""
    shop.configure(ONCE, revision=4)
    shop.deploy()
    shop.configure(ONCE, revision=5)
    shop.deploy()
    live = shop.alias("once").version
    functions = shop.target.client("lambda")
    functions.update_alias(FunctionName="shop-local-once", Name="live", FunctionVersion=str(int(live) - 1))
    shop.configure(ONCE, revision=6)
    shop.deploy()
    assert (
        "alias version does not match the current version in AppSpec file" in (shop.folder / "cdk.log").read_text()
    )
    assert shop.statuses()["once"] == "UPDATE_ROLLBACK_COMPLETE"
    # CloudFormation's rollback has put the alias back to where the stack believes it.
    assert shop.alias("once").version == live

    before = str(int(live) - 1)
    functions.update_alias(FunctionName="shop-local-once", Name="live", FunctionVersion=before)
    assert f"its stack records {live}, and a deploy would restore that version" in refused(shop, "deploy")
    done = shop.run("serinus", "rollback", "once", "--local")
    assert (
        f"version {before} answers all requests of once already, but its stack still records {live}" in done.stderr
    )
    assert "so the bad release came from a changed setting, code or library. Revert" in done.stdout
    assert shop.alias("once").version == before
    shop.deploy()
    assert (shop.statuses()["once"], shop.releases("once")[0].stable) == ("UPDATE_COMPLETE", before)
