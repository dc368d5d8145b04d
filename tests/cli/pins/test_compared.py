"""The bundles that a rehearsal compares: the newest candidate with what is pinned, or with what is live."""

import io
import json
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from serinus.cli import offline_process
from serinus.cli.bundle_comparison import signature_changes
from serinus.cli.errors import CliError, WrongUsage
from serinus.cli.rehearse.compared import compare_with_live, compare_with_pinned
from serinus.cli.rehearse.workspace import CandidateSpec, create_workspace
from serinus.cli.target import CloudTarget
from serinus.infra.errors import ReleaseError
from serinus.infra.settings import Settings, load_settings
from serinus.lambda_handlers.contract.lock import LOCK, read_lock
from serinus.lambda_handlers.contract.signature import Feature, Output, Signature, Tensor

CHECKOUT = Path(__file__).resolve().parents[3]
STACK = "shop-dev-risk"


def settings_of(shop: Any, environment: str = "dev") -> Settings:
    return load_settings(shop.folder / "serinus.toml", environment)


def test_the_newest_candidate_is_compared_with_the_pinned_bundle(
    shop: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    pinned, older, new = shop.package("a", 9), shop.package("b", 10), shop.package("c", 11)
    shop.pin("dev", pinned)

    compared = compare_with_pinned(shop.folder, settings_of(shop), "risk", None)

    assert compared.candidate is not None
    assert (compared.stable.name, compared.candidate.name) == (pinned[:12], new[:12])
    said = capsys.readouterr().err
    assert f"{new[:12]} (packaged 2026-11-30 11:00:00) is the newest candidate; older ones: {older[:12]}" in said
    assert f"rehearsing candidate {new[:12]} against {pinned[:12]}, which serinus.lock pins for dev" in said


def test_without_a_candidate_the_pinned_bundle_is_released_again(
    shop: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.package("a", 9)
    pinned = shop.package("b", 10)
    shop.pin("dev", pinned)

    compared = compare_with_pinned(shop.folder, settings_of(shop), "risk", None)

    assert (compared.stable.name, compared.candidate) == (pinned[:12], None)
    assert "the pinned bundle again, as there is no newer candidate" in capsys.readouterr().err


def test_a_named_candidate_may_be_older(shop: Any) -> None:
    old, pinned = shop.package("a", 9), shop.package("b", 10)
    shop.pin("dev", pinned)

    compared = compare_with_pinned(shop.folder, settings_of(shop), "risk", old[:8])

    assert compared.candidate is not None
    assert compared.candidate.name == old[:12]


def test_without_a_pin_the_command_that_pins_is_named(shop: Any) -> None:
    candidate = shop.package("a", 9)

    with pytest.raises(CliError, match=f"compare {candidate[:12]} with. `serinus pin risk --env dev` pins it"):
        compare_with_pinned(shop.folder, settings_of(shop), "risk", None)


def test_without_any_bundle_the_command_that_packages_is_named(shop: Any) -> None:
    with pytest.raises(ReleaseError, match="Package it: `serinus package"):
        compare_with_pinned(shop.folder, settings_of(shop), "risk", None)


def test_the_copy_pins_the_stable_bundle_and_lists_no_environment_that_it_lacks(shop: Any) -> None:
    shutil.copy2(CHECKOUT / "package.json", shop.folder)
    (shop.folder / "node_modules").symlink_to(CHECKOUT / "node_modules")
    settings = (shop.folder / "serinus.toml").read_text()
    listed = settings.replace("[endpoint.risk]\n", '[endpoint.risk]\nenvironments = ["dev", "prod"]\n')
    (shop.folder / "serinus.toml").write_text(listed)
    live, new = shop.package("a", 9), shop.package("b", 10)
    shop.pin("dev", new)
    stable = shop.folder / "bundles" / "risk" / live[:12]
    candidates = {"candidate": CandidateSpec(new)}

    copying = create_workspace(shop.folder, "dev", "risk", candidates=candidates, rate=10.0, stable=stable)
    with copying as workspace:
        copies = [workspace.stable, workspace.releases["candidate"]]
        pins = [read_lock(copy.project / LOCK)["dev"]["risk"].version for copy in copies]
        endpoints = [load_settings(copy.project / "serinus.toml", "dev").endpoints for copy in copies]

    assert pins == [live, new]
    assert [[endpoint.name for endpoint in each] for each in endpoints] == [["risk"], ["risk"]]


def test_the_cloud_is_an_option_of_live_alone(shop: Any, run: Any) -> None:
    shop.pin("dev", shop.package("a", 9))

    done = run("rehearse", "risk", "--local")

    assert (done.code, done.out) == (2, "")
    assert "--local selects the cloud for --against live, and --against is pinned" in done.err


@pytest.fixture
def serve(target: CloudTarget) -> Iterator[Callable[..., None]]:
    """Deploys stack `shop-dev-risk`, whose versions have these descriptions; the alias names the first, and the
    second with a tenth of the requests."""
    stacks, functions = target.client("cloudformation"), target.client("lambda")
    iam = target.client("iam")
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
                            "Action": "sts:AssumeRole"}]}  # fmt: skip
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as content:
        content.writestr("index.py", "def handler(event, context):\n    return event\n")

    def deploy(*descriptions: str) -> None:
        resource = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "x"}}
        stacks.create_stack(StackName=STACK, TemplateBody=json.dumps({"Resources": {"Kept": resource}}))
        stacks.get_waiter("stack_create_complete").wait(StackName=STACK, WaiterConfig={"Delay": 0.2})
        role = iam.create_role(RoleName=STACK, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        functions.create_function(
            FunctionName=STACK,
            Runtime="python3.13",
            Role=role,
            Handler="index.handler",
            Code={"ZipFile": archive.getvalue()},
        )
        functions.get_waiter("function_active_v2").wait(FunctionName=STACK, WaiterConfig={"Delay": 0.2})
        versions = []
        for number, description in enumerate(descriptions):
            functions.update_function_configuration(FunctionName=STACK, Timeout=3 + number)
            functions.get_waiter("function_updated_v2").wait(FunctionName=STACK, WaiterConfig={"Delay": 0.2})
            versions.append(functions.publish_version(FunctionName=STACK, Description=description)["Version"])
        weights = dict.fromkeys(versions[1:], 0.1)
        routing = {"RoutingConfig": {"AdditionalVersionWeights": weights}} if weights else {}
        functions.create_alias(FunctionName=STACK, Name="live", FunctionVersion=versions[0], **routing)

    yield deploy
    functions.delete_function(FunctionName=STACK)
    iam.delete_role(RoleName=STACK)
    stacks.delete_stack(StackName=STACK)
    stacks.get_waiter("stack_delete_complete").wait(StackName=STACK, WaiterConfig={"Delay": 0.2})


@pytest.mark.cloud
def test_a_candidate_is_compared_with_what_the_alias_serves(
    shop: Any, target: CloudTarget, serve: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    live, pinned, new = shop.package("a", 9), shop.package("b", 10), shop.package("c", 11)
    shop.pin("dev", pinned)
    serve(f"risk {live[:12]}", f"risk {pinned[:12]}")

    compared = compare_with_live(shop.folder, settings_of(shop), "risk", None, target, STACK)

    assert compared.candidate is not None
    assert (compared.stable.name, compared.candidate.name) == (live[:12], new[:12])
    said = capsys.readouterr().err
    assert "a release of shop-dev-risk is under way: version 1, the stable one" in said
    assert f"rehearsing {new[:12]} against {live[:12]}, which shop-dev-risk at the offline cloud" in said


@pytest.mark.cloud
def test_without_a_candidate_the_pinned_bundle_is_compared_with_what_is_live(
    shop: Any, target: CloudTarget, serve: Callable[..., None]
) -> None:
    live, pinned = shop.package("a", 9), shop.package("b", 10)
    shop.pin("dev", pinned)
    serve(f"risk {live[:12]}")

    compared = compare_with_live(shop.folder, settings_of(shop), "risk", None, target, STACK)

    assert compared.candidate is not None
    assert (compared.stable.name, compared.candidate.name) == (live[:12], pinned[:12])


@pytest.mark.cloud
@pytest.mark.parametrize(
    ("description", "says"),
    [
        ("risk aaaaaaaaaaaa", "serves risk aaaaaaaaaaaa, and the project does not hold that bundle"),
        ("spam aaaaaaaaaaaa", r"serves model spam, and serinus\.toml names model risk for risk"),
        (
            "by hand",
            r"version 1 of shop-dev-risk does not name the bundle that it serves \(description 'by hand'\)",
        ),
    ],
)
def test_a_live_bundle_that_cannot_be_rehearsed_is_named(
    shop: Any, target: CloudTarget, serve: Callable[..., None], description: str, says: str
) -> None:
    shop.pin("dev", shop.package("b", 10))
    serve(description)

    with pytest.raises(CliError, match=says) as raised:
        compare_with_live(shop.folder, settings_of(shop), "risk", None, target, STACK)

    assert "--against pinned" in str(raised.value)


@pytest.mark.cloud
def test_what_is_not_deployed_cannot_be_compared_with(shop: Any, target: CloudTarget) -> None:
    shop.pin("dev", shop.package("b", 10))

    with pytest.raises(CliError, match="has no stack shop-dev-risk, so there is no live bundle to compare with"):
        compare_with_live(shop.folder, settings_of(shop), "risk", None, target, STACK)


@pytest.mark.cloud
def test_the_live_endpoint_is_that_of_the_offline_clouds_environment_unless_named(
    shop: Any, run: Any, target: CloudTarget, serve: Callable[..., None]
) -> None:
    live = shop.package("a", 9)
    shop.pin("dev", live)
    serve(f"risk {live[:12]}")
    assert target.cloud is not None
    offline_process.record(shop.folder, replace(target.cloud, pid=os.getpid()))

    absent = run("rehearse", "risk", "--against", "live", "--local")
    served = run("rehearse", "risk", "--against", "live", "--local", "--env", "dev", "--candidate", "nowhere")

    assert (absent.code, served.code) == (1, 2)
    assert "has no stack shop-local-risk" in absent.err
    assert "--candidate 'nowhere' is neither a bundle's folder" in served.err


def test_a_candidate_that_is_missing_is_named(shop: Any) -> None:
    shop.pin("dev", shop.package("b", 10))

    with pytest.raises(WrongUsage, match="--candidate 'nowhere' is neither a bundle's folder"):
        compare_with_pinned(shop.folder, settings_of(shop), "risk", "nowhere")


NUMBER = Feature("tenure", "int64", missing="accepted", lowest=0.0, highest=100.0)
WORD = Feature("contract", "string", categories=("monthly", "yearly"), unseen="refused")


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        (NUMBER, NUMBER._replace(minimum=3.0, maximum=9.0, example=5), []),
        (NUMBER, NUMBER._replace(missing="refused"), ["tenure: may no longer be missing"]),
        (NUMBER._replace(missing="refused"), NUMBER, ["tenure: may be missing"]),
        (NUMBER, NUMBER._replace(dtype="float64"), ["tenure: float64 instead of int64"]),
        (NUMBER, NUMBER._replace(lowest=None), ["tenure: numbers to 100 instead of numbers from 0 to 100"]),
        (
            NUMBER._replace(lowest=None, highest=None),
            NUMBER,
            ["tenure: numbers from 0 to 100 instead of any number"],
        ),
        (WORD, WORD._replace(unseen="accepted"), ["contract: accepts values that are not in the sample"]),
        (
            WORD,
            WORD._replace(categories=("monthly", "weekly")),
            ["contract: new categories 'weekly'", "contract: without the categories 'yearly'"],
        ),
    ],
)
def test_a_change_of_accepted_values_says_which(before: Feature, after: Feature, changes: list[str]) -> None:
    def of(feature: Feature) -> Signature:
        tensor = Tensor("X", feature.dtype, (feature.name,))
        return Signature("regression", (feature,), (tensor,), (Output("y", "float32", "value", (None,)),))

    assert list(signature_changes(of(before), of(after))) == changes
