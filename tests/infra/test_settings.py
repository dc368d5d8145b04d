from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from serinus.infra.errors import InfraError
from serinus.infra.settings import Settings, function_environment, known_environments, load_settings

LAYERED = """\
[project]
name = "shop"

[defaults]
memory_mb = 256
timeout_s = 3
variables = { LEVEL = "info", TEAM = "ml" }
cors_origins = ["https://one.example"]

[endpoint.churn]
timeout_s = 4
variables = { LEVEL = "debug" }

[endpoint.fraud]
model = "fraud-trees"

[env.prod]
account = "123456789012"
region = "eu-central-1"

[env.prod.defaults]
memory_mb = 512
cors_origins = ["https://two.example"]

[env.prod.endpoint.churn]
memory_mb = 1769
"""


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Settings]:
    def read(text: str, environment: str = "dev") -> Settings:
        (tmp_path / "serinus.toml").write_text(text, encoding="utf-8")
        return load_settings(tmp_path / "serinus.toml", environment)

    return read


def test_an_endpoint_takes_defaults_then_its_own_settings(load: Callable[..., Settings]) -> None:
    churn, fraud = load(LAYERED).endpoints

    assert (churn.settings.memory_mb, churn.settings.timeout_s) == (256, 4)
    assert (fraud.settings.memory_mb, fraud.settings.timeout_s) == (256, 3)


def test_an_environment_lays_its_defaults_and_then_its_endpoints_over_them(load: Callable[..., Settings]) -> None:
    churn, fraud = load(LAYERED, "prod").endpoints

    assert (churn.settings.memory_mb, churn.settings.timeout_s) == (1769, 4)
    assert fraud.settings.memory_mb == 512


def test_tables_are_joined_and_lists_replaced(load: Callable[..., Settings]) -> None:
    churn = load(LAYERED, "prod").endpoints[0].settings

    assert churn.variables == {"LEVEL": "debug", "TEAM": "ml"}
    assert churn.cors_origins == ("https://two.example",)


def test_an_endpoint_serves_the_model_of_its_name_unless_told_otherwise(load: Callable[..., Settings]) -> None:
    assert [endpoint.model for endpoint in load(LAYERED).endpoints] == ["churn", "fraud-trees"]


def test_a_stack_is_named_by_project_environment_and_endpoint(load: Callable[..., Settings]) -> None:
    names = [endpoint.stack_name for endpoint in load(LAYERED, "prod").endpoints]

    assert names == ["shop-prod-churn", "shop-prod-fraud"]


def test_account_and_region_are_those_of_the_environment(load: Callable[..., Settings]) -> None:
    dev, prod = load(LAYERED), load(LAYERED, "prod")

    assert (dev.account, dev.region) == (None, None)
    assert (prod.account, prod.region) == ("123456789012", "eu-central-1")


def test_dev_may_be_written_down_without_a_place(load: Callable[..., Settings]) -> None:
    dev = load(LAYERED + "[env.dev.defaults]\nmemory_mb = 640\n")

    assert (dev.account, dev.endpoints[0].settings.memory_mb) == (None, 640)


def test_docs_are_shown_in_the_offline_environment_only(load: Callable[..., Settings]) -> None:
    shown = {name: load(LAYERED, name).endpoints[0].settings.docs for name in ("dev", "local", "prod")}

    assert shown == {"dev": False, "local": True, "prod": False}


def test_docs_can_be_turned_off_offline_and_on_elsewhere(load: Callable[..., Settings]) -> None:
    off = LAYERED.replace("[defaults]", "[defaults]\ndocs = false")
    on = LAYERED + "docs = true\n"

    assert load(off, "local").endpoints[0].settings.docs is False
    assert load(on, "prod").endpoints[0].settings.docs is True


def test_known_environments_are_those_written_down_and_the_two_that_need_no_table(
    load: Callable[..., Settings], tmp_path: Path
) -> None:
    load(LAYERED)

    assert known_environments(tmp_path / "serinus.toml") == ["dev", "local", "prod"]


def test_settings_cannot_be_changed_once_read(load: Callable[..., Settings]) -> None:
    churn = load(LAYERED).endpoints[0]

    with pytest.raises(ValidationError, match="frozen"):
        churn.settings.memory_mb = 128  # type: ignore[misc]


def test_an_unknown_environment_is_refused_with_the_nearest_name(load: Callable[..., Settings]) -> None:
    with pytest.raises(InfraError, match=r"no environment 'prd'; did you mean prod\? Name one of these"):
        load(LAYERED, "prd")


def test_a_missing_file_is_refused_with_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(InfraError, match=r"there is no serinus\.toml in .* `serinus init` writes one"):
        load_settings(tmp_path / "serinus.toml", "dev")


def test_a_file_that_is_not_toml_is_refused_with_its_line(load: Callable[..., Settings]) -> None:
    with pytest.raises(InfraError, match=r"not valid TOML: .*line 2"):
        load("[project]\nname = \n")


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "serinus.toml").write_bytes(b'[project]\nname = "\xff"\n')

    with pytest.raises(InfraError, match="not UTF-8 text"):
        load_settings(tmp_path / "serinus.toml", "dev")


def test_explanations_set_variables_only_where_their_table_is(load: Callable[..., Settings]) -> None:
    endpoint = "[endpoint.churn]\ntimeout_s = 8\n[env.dev.endpoint.churn.explanations]\nmax_rows = 3\n"
    text = f'[project]\nname = "shop"\n{endpoint}'

    explained = function_environment("dev", "churn", load(text).endpoints[0].settings)
    assert explained["SERINUS_EXPLAIN_MAX_ROWS"] == "3"
    assert explained["SERINUS_EXPLAIN_MAX_MS"] == "4000"
    plain = function_environment("local", "churn", load(text, "local").endpoints[0].settings)
    assert not [name for name in plain if "EXPLAIN" in name]
