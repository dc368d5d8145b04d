"""Removal of what a check made: an absent network is waited for, and what is gone already does not matter."""

import json
from collections.abc import Iterator
from pathlib import Path

import botocore.exceptions
import pytest

from serinus.cli.account_check import removal
from serinus.cli.account_check.inventory import Creation, Inventory
from serinus.cli.account_check.removal import foreign_stacks, remove_everything, while_offline
from serinus.cli.account_check.session import TAG, Caller, CheckSession
from serinus.cli.account_check.waiting import RealClock, Waiting
from serinus.cli.offline_process import RunningCloud
from serinus.cli.target import CloudTarget
from serinus.offline.cloud.stepped import SteppedCloud, stepped

RUN = "serinus-check-abcdef"
SMALL = json.dumps(
    {"Resources": {"Own": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "x"}}}}
)
LOST = botocore.exceptions.EndpointConnectionError(endpoint_url="https://lambda.eu-west-1.amazonaws.com")


@pytest.fixture(scope="module")
def cloud() -> Iterator[SteppedCloud]:
    with stepped() as running:
        yield running


@pytest.fixture
def session(cloud: SteppedCloud, tmp_path: Path) -> CheckSession:
    config = cloud.cloud.config
    record = RunningCloud(0, config.port, config.region, config.account_id, 0.0, config.root_key)
    caller = Caller(config.account_id, config.region, "arn:aws:iam::123456789012:user/ada")
    inventory = Inventory(tmp_path / "record.json")
    waiting = Waiting(RealClock(), lambda _step: None)
    return CheckSession(CloudTarget(record), caller, RUN, waiting, inventory, lambda _line: None)


def test_a_lost_network_is_waited_for() -> None:
    answers = iter([LOST, LOST, "back"])

    def call() -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert while_offline(call, 5.0) == "back"


def test_a_network_that_stays_away_is_an_error() -> None:
    def call() -> None:
        raise LOST

    with pytest.raises(botocore.exceptions.EndpointConnectionError):
        while_offline(call, 0.1)


def test_what_was_recorded_but_not_made_is_no_error(session: CheckSession) -> None:
    session.inventory.begin(RUN)
    for kind, name in (
        ("stack", f"{RUN}-dev-check"),
        ("role", f"{RUN}-caller"),
        ("function", f"{RUN}-caller"),
        ("alias", f"{RUN}-dev-check:account-check"),
        ("web acl", f"{RUN}-lower"),
        ("reserved concurrency", f"{RUN}-dev-check"),
        ("deployment", f"{RUN}-dev-check"),
        ("asset", "no-such-bucket/key.zip"),
    ):
        session.inventory.creating(kind, name)
    assert remove_everything(session) == []
    assert not session.inventory.path.exists()


def test_every_kind_that_is_recorded_can_be_removed() -> None:
    source = "".join(path.read_text() for path in Path(removal.__file__).parent.glob("*.py"))
    kinds = {part.split('"')[1] for part in source.split("inventory.creating(")[1:] if part.startswith('"')}
    assert kinds == set(removal.REMOVERS)


#: A stack of a check that another project made.
OTHER = "serinus-check-000000-dev-check"


def test_a_stack_with_a_checks_name_and_tag_is_removed_when_it_is_old(
    cloud: SteppedCloud, session: CheckSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloudformation = session.client("cloudformation")
    cloudformation.create_stack(
        StackName=OTHER, TemplateBody=SMALL, Tags=[{"Key": TAG, "Value": "serinus-check-000000"}]
    )
    # A project and environment of the user's own may begin so, and any stack may have the tag.
    cloudformation.create_stack(StackName="serinus-check-churn", TemplateBody=SMALL)
    cloudformation.create_stack(StackName="tagged", TemplateBody=SMALL, Tags=[{"Key": TAG, "Value": "mine"}])
    cloudformation.get_waiter("stack_create_complete").wait(StackName=OTHER, WaiterConfig={"Delay": 1})
    cloudformation.create_stack(StackName="users-own", TemplateBody=SMALL)
    assert foreign_stacks(session) == [OTHER]
    assert remove_everything(session) == []
    assert removal.describe(session, OTHER) is not None
    monkeypatch.setattr(removal, "LONGEST_RUN_S", -3600.0 * 24)
    assert foreign_stacks(session) == []
    assert remove_everything(session) == []
    assert removal.describe(session, OTHER) is None
    assert removal.describe(session, "users-own") is not None


def test_a_creation_is_forgotten_once_it_is_removed(session: CheckSession, tmp_path: Path) -> None:
    folder = tmp_path / "workspace"
    folder.mkdir()
    session.inventory.begin(RUN)
    session.inventory.creating("folder", str(folder))
    assert remove_everything(session) == []
    assert not folder.exists()
    assert Creation("folder", str(folder)) not in session.inventory.creations
