"""A candidate is a bundle that no environment pins and that is newer than the pinned one."""

import shutil
from typing import Any

import pytest

from serinus.cli.candidate_report import describe_candidate
from serinus.cli.candidates import choose_candidate, find_candidates, find_version, packaged_at, stored_bundles
from serinus.cli.errors import CliError, WrongUsage
from serinus.cli.overview import planned_endpoints


def shorts(bundles: Any) -> list[str]:
    return [bundle.short for bundle in bundles]


def test_bundles_are_listed_newest_first_and_those_of_unknown_time_last(shop: Any) -> None:
    old, new, undated = shop.package("old", 9), shop.package("new", 11), shop.package("undated", None)

    assert [bundle.version for bundle in stored_bundles(shop.folder, "risk")] == [new, old, undated]


def test_drafts_and_bundles_that_were_set_aside_are_no_bundles(shop: Any) -> None:
    version = shop.package("good", 9)
    folder = shop.folder / "bundles" / "risk" / version[:12]
    shutil.copytree(folder, folder.with_name(f"{version[:12]}.damaged-1"))
    shutil.copytree(folder, folder.with_name(f".{version[:12]}.0a0a0a0a"))
    (folder.parent / "notes").mkdir()

    assert shorts(stored_bundles(shop.folder, "risk")) == [version[:12]]


def test_what_is_newer_than_the_pin_and_pinned_nowhere_is_a_candidate(shop: Any) -> None:
    older, pinned, first, second = (
        shop.package(name, hour) for name, hour in zip("abcd", range(9, 13), strict=True)
    )
    elsewhere = shop.package("e", 14)
    shop.pin("dev", pinned)
    shop.pin("prod", elsewhere)

    assert [bundle.version for bundle in find_candidates(shop.folder, "dev", "risk")] == [second, first]
    # The offline cloud's environment uses the pin of dev.
    assert shorts(find_candidates(shop.folder, "local", "risk")) == [second[:12], first[:12]]
    assert find_candidates(shop.folder, "prod", "risk") == []
    assert older not in shorts(find_candidates(shop.folder, "dev", "risk"))


def test_the_overview_of_an_endpoint_has_its_newest_candidate(shop: Any) -> None:
    shop.pin("dev", shop.package("a", 9))
    assert [item.candidate for item in planned_endpoints(shop.folder, "dev")] == [None]
    shop.package("b", 10)
    newest = shop.package("c", 11)

    assert [item.candidate for item in planned_endpoints(shop.folder, "dev")] == [newest]


def test_without_a_pin_every_bundle_is_a_candidate(shop: Any) -> None:
    old, new = shop.package("a", 9), shop.package("b", 10)

    choice = choose_candidate(shop.folder, "dev", "risk", "--candidate VERSION")

    assert choice is not None
    assert (choice.newest.version, [bundle.version for bundle in choice.older]) == (new, [old])


def test_candidates_of_one_second_are_listed_and_not_chosen_from(shop: Any) -> None:
    one, other = shop.package("a", 9), shop.package("b", 9)

    with pytest.raises(CliError, match="choose one by --candidate VERSION, such as --candidate") as raised:
        choose_candidate(shop.folder, "dev", "risk", "--candidate VERSION")

    assert {one[:12], other[:12]} <= set(str(raised.value).split())


def test_no_candidate_is_none(shop: Any) -> None:
    shop.pin("dev", shop.package("a", 9))

    assert choose_candidate(shop.folder, "dev", "risk", "VERSION") is None


@pytest.mark.parametrize("length", [4, 12, 40, 64])
def test_a_version_is_found_by_its_beginning(shop: Any, length: int) -> None:
    version = shop.package("a", 9)

    assert find_version(shop.folder, "risk", version[:length], "VERSION").name == version[:12]


def test_a_long_version_must_agree_beyond_the_folders_name(shop: Any) -> None:
    version = shop.package("a", 9)
    other = version[:12] + ("0" if version[12] != "0" else "1") + version[13:]

    with pytest.raises(WrongUsage, match=r"VERSION .* is neither a bundle's folder nor the start"):
        find_version(shop.folder, "risk", other, "VERSION")


@pytest.mark.parametrize(
    "time", ['{"time": 3}', '{"time": "yesterday"}', "[]", "", '{"time": "2026-11-30T09:00:00"}']
)
def test_damaged_provenance_is_an_unknown_time(shop: Any, time: str) -> None:
    version = shop.package("a", 9)
    folder = shop.folder / "bundles" / "risk" / version[:12]
    (folder / "provenance.json").write_text(time)

    moment = packaged_at(folder)

    assert (moment is None) == ("2026" not in time)
    assert moment is None or moment.tzinfo is not None


def test_the_next_steps_name_the_version_where_the_commands_would_choose_another(shop: Any) -> None:
    old, pinned = shop.package("a", 9), shop.package("b", 10)
    new = shop.package("c", 11)
    assert describe_candidate(shop.folder, "dev", "risk", new).endswith("no risk for dev. Next: serinus pin risk")
    shop.pin("dev", pinned)

    said = describe_candidate(shop.folder, "dev", "risk", new)
    again = describe_candidate(shop.folder, "prod", "risk", old)

    assert f"{new[:12]} is a candidate; serinus.lock still pins {pinned[:12]} for dev" in said
    assert said.endswith("Next: serinus rehearse risk, then serinus pin risk")
    assert again.endswith(f"Next: serinus pin risk {old[:12]} --env prod")
    older = describe_candidate(shop.folder, "dev", "risk", old)
    assert f"serinus rehearse risk --candidate {old[:12]}, then serinus pin risk {old[:12]}" in older
    assert "pins for dev already" in describe_candidate(shop.folder, "dev", "risk", pinned)


def test_the_next_step_rehearses_the_endpoint_that_serves_the_model(shop: Any) -> None:
    (shop.folder / "serinus.toml").write_text('[project]\nname = "shop"\n[endpoint.scoring]\nmodel = "risk"\n')
    shop.pin("dev", shop.package("a", 9))

    said = describe_candidate(shop.folder, "dev", "risk", shop.package("b", 10))

    assert said.endswith("Next: serinus rehearse scoring, then serinus pin risk")
