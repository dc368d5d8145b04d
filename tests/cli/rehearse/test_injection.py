"""What `--inject` takes, and what it refuses."""

import pytest

from serinus.cli.errors import CliError
from serinus.cli.rehearse.injection import parse


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("errors=20%", {"error_rate": 0.2, "alias_only": True}),
        ("latency=+300ms", {"latency_ms": 300.0, "alias_only": True}),
        ("latency=+1.5s", {"latency_ms": 1500.0, "alias_only": True}),
        ("crash", {"crash_rate": 0.2, "alias_only": True}),
        ("slow-init", {"slow_init_ms": 3000.0}),
    ],
)
def test_faults_that_the_cloud_makes_up(text: str, fault: dict[str, object]) -> None:
    assert parse(text).fault == fault


@pytest.mark.parametrize("text", ["wrong-answers", "nan"])
def test_faults_that_need_a_bad_graph(text: str) -> None:
    assert (parse(text).bad_graph, parse(text).fault) == (text, {})


@pytest.mark.parametrize("text", ["", "errors", "errors=0%", "errors=120%", "latency=300", "crash=1", "flood"])
def test_others_are_refused_with_what_there_is(text: str) -> None:
    with pytest.raises(CliError, match=r"--inject"):
        parse(text)
