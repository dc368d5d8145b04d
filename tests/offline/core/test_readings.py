"""Readings: their names and values, from arguments and files, and what is refused."""

import json
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from serinus.offline.core.readings import Doubt, InvalidReading, Readings, Seconds

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("name", Readings.names())
def test_every_value_of_a_reading_is_parsed_and_written_as_it_was(name: str) -> None:
    values = Readings.values_of(name)
    assert len(values) > 1
    for value in values:
        assert Readings().replaced({name: value}).as_json()[name] == value


def test_the_default_is_what_a_cloud_without_readings_plays() -> None:
    assert {doubt.name: doubt.default for doubt in Readings.doubts()} == Readings().as_json()
    for doubt in Readings.doubts():
        assert str(Readings.parse(doubt.name, doubt.default)) == doubt.default
        assert doubt.page == "not documented" or doubt.page.startswith("https://docs.aws.amazon.com/")


@pytest.mark.parametrize("doubt", Readings.doubts(), ids=lambda doubt: doubt.name)
def test_the_named_module_plays_the_reading(doubt: Doubt) -> None:
    code = (ROOT / "offline" / doubt.module).read_text()
    assert re.search(rf"\breadings\.{doubt.name.replace('-', '_')}\b", code)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("hooks-in-rollback", "maybe", "reading hooks-in-rollback is 'maybe'; it must be yes, no"),
        ("metric-delay", "nan", "'nan'; it must be SECONDS or SECONDS..SECONDS of at most 3600"),
        ("metric-delay", "90..30", "'90..30'"),
        ("metric-delay", "-1", "'-1'"),
        ("alarm-polling", "4000", "'4000'"),
        ("hooks", "yes", "'hooks' is not a reading; the readings are metric-delay, "),
    ],
)
def test_an_unknown_name_or_value_is_refused(name: str, value: str, words: str) -> None:
    with pytest.raises(InvalidReading) as refused:
        Readings.parse(name, value)
    assert words in str(refused.value)


def test_a_range_is_drawn_from_by_seed() -> None:
    delay = Seconds.parse("30..120")
    first, again = ([delay.sample(source) for _ in range(50)] for source in (random.Random(7), random.Random(7)))
    assert first == again
    assert 30 <= min(first) < 50 < 100 < max(first) <= 120
    assert Seconds.parse("90").sample(random.Random(7)) == 90


def test_a_file_sets_some_and_the_command_line_overrides(tmp_path: Path) -> None:
    path = tmp_path / "readings.json"
    path.write_text(json.dumps({"hooks-in-rollback": "no", "metric-delay": 45}))
    values = Readings.file(path) | Readings.assignments(["metric-delay=30..120"])
    assert values == {"hooks-in-rollback": "no", "metric-delay": "30..120"}
    changed = Readings().replaced(values)
    assert Readings().replaced(Readings.assignments(changed.arguments()[1::2])) == changed


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "readings cannot be read from"),
        ("[]", "must hold a JSON object"),
        ('{"hooks": "no"}', "readings.json: 'hooks' is not a reading"),
        ('{"metric-delay": NaN}', "reading metric-delay is NaN; it must be a string"),
        ('{"hooks-in-rollback": true}', "reading hooks-in-rollback is true; it must be a string"),
    ],
)
def test_a_file_that_says_something_else_is_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "readings.json"
    path.write_text(text)
    with pytest.raises(InvalidReading) as refused:
        Readings.file(path)
    assert words in str(refused.value)


def test_a_cloud_does_not_start_with_an_unknown_reading() -> None:
    command = [sys.executable, "-m", "serinus.offline", "--port", "0", "--reading", "hooks-in-rollback=maybe"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert (done.returncode, "it must be yes, no" in done.stderr, "Traceback" in done.stderr) == (1, True, False)
