"""The record of what a check makes: written before each creation, kept when the run is killed."""

from pathlib import Path

import pytest

from serinus.cli.account_check.inventory import FOLDER, Creation, open_inventory
from serinus.cli.errors import CliError

ACCOUNT, REGION = "123456789012", "eu-west-1"


def test_a_creation_is_on_disk_before_it_is_made(tmp_path: Path) -> None:
    with open_inventory(tmp_path, ACCOUNT, REGION) as inventory:
        on_disk = []
        inventory.on_step = lambda _step: on_disk.append(inventory.path.read_text())
        inventory.begin("serinus-check-aaaaaa")
        inventory.creating("role", "serinus-check-aaaaaa-caller")
    assert "serinus-check-aaaaaa" in on_disk[0]
    assert "caller" not in on_disk[0]
    assert '"serinus-check-aaaaaa-caller"' in on_disk[1]


def test_the_next_run_reads_what_a_killed_one_recorded(tmp_path: Path) -> None:
    with open_inventory(tmp_path, ACCOUNT, REGION) as inventory:
        inventory.begin("serinus-check-aaaaaa")
        inventory.creating("stack", "serinus-check-aaaaaa-dev-check")
    with open_inventory(tmp_path, ACCOUNT, REGION) as later:
        assert later.runs == ["serinus-check-aaaaaa"]
        assert later.creations == [Creation("stack", "serinus-check-aaaaaa-dev-check")]


def test_nothing_is_kept_once_everything_is_removed(tmp_path: Path) -> None:
    with open_inventory(tmp_path, ACCOUNT, REGION) as inventory:
        inventory.begin("serinus-check-aaaaaa")
        inventory.creating("role", "r")
        inventory.removed(Creation("role", "r"))
        inventory.ended(["serinus-check-aaaaaa"])
        assert not inventory.path.exists()


def test_another_run_of_the_same_account_is_refused(tmp_path: Path) -> None:
    with (
        open_inventory(tmp_path, ACCOUNT, REGION),
        pytest.raises(CliError, match=r"another check of account 123456789012 in eu-west-1"),
        open_inventory(tmp_path, ACCOUNT, REGION),
    ):
        raise AssertionError("two runs at once")
    with open_inventory(tmp_path, ACCOUNT, "us-east-1"), open_inventory(tmp_path, ACCOUNT, REGION):
        pass


@pytest.mark.parametrize("content", ["", "{", '{"runs": 1}', "[]"])
def test_a_damaged_record_counts_as_empty(tmp_path: Path, content: str) -> None:
    """Stacks are found by their tag as well."""
    (tmp_path / FOLDER).mkdir(parents=True)
    (tmp_path / FOLDER / f"{ACCOUNT}-{REGION}.json").write_text(content)
    with open_inventory(tmp_path, ACCOUNT, REGION) as inventory:
        assert inventory.creations == []
