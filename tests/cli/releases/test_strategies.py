"""Every strategy through real deploys by the CDK CLI: a good release is promoted, and what is wrong undone."""

import json
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from serinus.lambda_handlers.contract.release import hold_parameter

CHECKOUT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(CHECKOUT / "docs"))

from transcripts import agrees, blocks  # noqa: E402

pytestmark = [pytest.mark.cdk, pytest.mark.xdist_group("strategies")]

ENDPOINTS = {
    "linear": '[endpoint.linear.rollout]\nstrategy = "linear"\nstep_percent = 50\ninterval_minutes = 8',
    "switched": '[endpoint.switched.rollout]\nstrategy = "blue_green"\nbake_minutes = 9',
    "canary": '[endpoint.canary.rollout]\nstrategy = "canary"\nshare_percent = 20\nbake_minutes = 6',
    "once": '[endpoint.once.rollout]\nstrategy = "all_at_once"',
}
JUDGED_SIDE_BY_SIDE = ("linear", "canary")
REQUESTS = 3


@pytest.fixture(scope="module")
def deployed(shop: Any) -> Any:
    """All endpoints at their first version."""
    shop.configure(ENDPOINTS)
    shop.deploy()
    assert set(shop.statuses().values()) == {"CREATE_COMPLETE"}
    return shop


def fired(shop: Any, kind: str) -> Counter[str]:
    """How often an alarm of this kind has fired by endpoint, those of old versions included."""
    pages = shop.target.client("cloudwatch").get_paginator("describe_alarm_history")
    changes = [
        (item["AlarmName"], json.loads(item["HistoryData"])["newState"]["stateValue"])
        for page in pages.paginate(HistoryItemType="StateUpdate")
        for item in page["AlarmHistoryItems"]
    ]
    return Counter(
        name
        for name in ENDPOINTS
        for alarm, state in changes
        if alarm.startswith(f"shop-local-{name}-Alarms{kind}") and state == "ALARM"
    )


def explain(shop: Any, name: str, *release: str) -> Any:
    """What `serinus rollout explain` says of the last release, or of the one named."""
    return json.loads(shop.run("serinus", "rollout", "explain", name, *release, "--local", "--json").stdout)


def weights(shop: Any, seen: dict[str, list[float]]) -> None:
    """Note each new share of a canary in ``seen``."""
    for name in ENDPOINTS:
        share = shop.alias(name).weight
        if share not in seen.setdefault(name, []):
            seen[name].append(share)


def test_a_good_release_is_promoted_whatever_the_strategy(deployed: Any) -> None:
    shop, met, seen = deployed, Counter[tuple[str, ...]](), dict[str, list[float]]()
    before, silent = {name: shop.alias(name).version for name in ENDPOINTS}, fired(shop, "Silence")
    shop.configure(ENDPOINTS, revision=2)
    with shop.deploying() as process:

        def over() -> bool:
            weights(shop, seen)
            return process.poll() is not None

        shop.pass_until(over, met, requests=REQUESTS, endpoints=tuple(ENDPOINTS))
        assert process.returncode == 0, (shop.folder / "cdk.log").read_text()[-4000:]

    assert set(shop.statuses().values()) == {"UPDATE_COMPLETE"}
    assert {status for _, status, _ in met} == {"200"}, met
    for name in ENDPOINTS:
        newest = shop.releases(name)[0]
        assert (newest.status, newest.stable) == ("Succeeded", before[name])
        assert (shop.alias(name).version, shop.alias(name).canary) == (newest.canary, None)
    assert {name: sorted(shares) for name, shares in seen.items()} == {
        "linear": [0.0, 0.5],
        "switched": [0.0],
        "canary": [0.0, 0.2],
        "once": [0.0],
    }
    for name in ENDPOINTS:
        explained = explain(shop, name)
        assert (explained["headline"], explained["not_kept"]) == ("Promoted", [])
        if name == "once":
            assert explained["replay"][0].startswith("The verdict was not replayed: no verdict is logged")
            continue
        assert "It comes to the same verdict, by the same evidence." in explained["replay"]
        assert explained["signals"][-1]["signal"] == "all signals together"
    for name in JUDGED_SIDE_BY_SIDE:
        assert met[name, "200", shop.alias(name).version]
        assert shop.reader(name).verdicts(shop.releases(name)[0].created_at)
    assert fired(shop, "Silence") == silent, (
        "the judge speaks of the new version; the old one's alarm must not fire"
    )


def test_what_goes_wrong_during_a_release_is_undone(deployed: Any) -> None:
    """Answers fail after a switch; a person stops a shift; a judge falls silent."""
    shop = deployed
    wrong = {name: ENDPOINTS[name] for name in ("linear", "switched", "canary")}
    before, silent = {name: shop.alias(name).version for name in wrong}, fired(shop, "Silence")
    for _ in range(24):  # what the judge of a switch compares with
        for name in wrong:
            for _ in range(REQUESTS):
                assert shop.ask(name).status_code == 200
        shop.cloud.advance(60)
    shop.configure(wrong, revision=3)
    with shop.deploying() as process:
        shop.stand_until(lambda: all(shop.alias(name).canary for name in JUDGED_SIDE_BY_SIDE))
        shop.stand_until(lambda: is_held(shop, "switched"))
        bad = shop.alias("switched").version
        assert bad != before["switched"]
        shop.order_fault("switched", bad, error_rate=0.9, alias_only=True)
        assert (
            "all traffic returns to version" in shop.run("serinus", "rollout", "stop", "canary", "--local").stdout
        )
        silence_judge(shop, "linear", silent=True)
        shop.pass_until(lambda: process.poll() is not None, requests=REQUESTS, endpoints=tuple(wrong))
        assert process.returncode != 0
    shop.pass_until(shop.settled, requests=REQUESTS, endpoints=tuple(wrong))

    assert {name: shop.statuses()[name] for name in wrong} == dict.fromkeys(wrong, "UPDATE_ROLLBACK_COMPLETE")
    assert {name: (shop.alias(name).version, shop.alias(name).canary) for name in wrong} == {
        name: (version, None) for name, version in before.items()
    }
    assert {name: shop.releases(name)[0].status for name in wrong} == {
        "linear": "Stopped", "canary": "Stopped", "switched": shop.releases("switched")[0].status
    }  # fmt: skip
    assert shop.releases("switched")[0].rolled_back
    assert "Silence" in shop.releases("linear")[0].error
    assert "The judge reports nothing" in explain(shop, "linear")["why"][-1]
    explained = explain(shop, "switched", shop.releases("switched")[0].id)
    assert (explained["headline"], explained["tone"]) == ("Rolled back", "bad")
    assert "It comes to the same verdict, by the same evidence." in explained["replay"]
    assert explained["alternatives"][0].startswith("The evidence sufficed after ")
    (page,) = (block for block in blocks(CHECKOUT / "docs" / "releases.md") if block.startswith("Rolled back"))
    printed = shop.run("serinus", "rollout", "explain", "switched", "--local").stdout
    page = page.replace("churn,", "switched,")
    page = page.replace("version 3 after version 2", f"version {bad} after version {before['switched']}")
    assert agrees(page, printed), printed
    status = shop.run("serinus", "rollout", "status", "switched", "--local")
    assert "`serinus rollout explain switched --local` says why" in status.stderr
    assert fired(shop, "Silence")["linear"] > silent["linear"]

    shop.order_fault("switched", bad)
    silence_judge(shop, "linear", silent=False)


def test_alarms_that_fire_for_the_old_version_do_not_block_the_fix(deployed: Any) -> None:
    shop, live = deployed, deployed.alias("canary").version
    alarms, cloudwatch = shop.reader("canary").alarms(), shop.target.client("cloudwatch")
    assert {alarm.state for alarm in alarms} == {"OK"}
    shop.configure({"canary": ENDPOINTS["canary"]}, revision=4)
    with shop.deploying() as process:

        def over() -> bool:
            for alarm in alarms:
                with suppress(cloudwatch.exceptions.ResourceNotFound):  # the fix is through, and they are gone
                    cloudwatch.set_alarm_state(AlarmName=alarm.name, StateValue="ALARM", StateReason="a test")
            return process.poll() is not None

        shop.pass_until(over, requests=REQUESTS, endpoints=("canary",))
        assert process.returncode == 0, (shop.folder / "cdk.log").read_text()[-4000:]
    newest = shop.releases("canary")[0]
    assert (newest.status, newest.stable, newest.canary) == ("Succeeded", live, shop.alias("canary").version)
    assert not {alarm.name for alarm in alarms} & {alarm.name for alarm in shop.reader("canary").alarms()}


def is_held(shop: Any, name: str) -> bool:
    """Whether the endpoint's switched release waits for its judge."""
    parameters = shop.target.client("ssm").get_parameters(Names=[hold_parameter(f"shop-local-{name}")])[
        "Parameters"
    ]
    return bool(parameters)


def silence_judge(shop: Any, name: str, *, silent: bool) -> None:
    """Take the endpoint's judge off its schedule, or put it back."""
    events, judge = shop.target.client("events"), f"function:shop-local-{name}-judge"
    for rule in events.list_rules()["Rules"]:
        targets = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
        if any(one["Arn"].endswith(judge) for one in targets):
            (events.disable_rule if silent else events.enable_rule)(Name=rule["Name"])
            return
    raise AssertionError(f"no rule calls {judge}")
