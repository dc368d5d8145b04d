import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from serinus.infra.settings import load_settings
from serinus.infra.settings.reference import render_reference
from serinus.infra.settings.schema import EndpointSettings

ROOT = Path(__file__).parents[2]


def test_the_page_is_what_the_models_say() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")

    assert page == render_reference(), "run `python -m serinus.infra.settings.reference > docs/settings.md`"


def test_running_the_module_prints_the_page() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "serinus.infra.settings.reference"], capture_output=True, text=True, timeout=60
    )

    assert done.stdout == render_reference()


def test_every_setting_has_a_meaning() -> None:
    assert [name for name, field in EndpointSettings.model_fields.items() if not field.description] == []


def test_the_example_on_the_page_is_valid(tmp_path: Path) -> None:
    example = render_reference().partition("```toml\n")[2].partition("```")[0]
    (tmp_path / "serinus.toml").write_text(example, encoding="utf-8")

    assert load_settings(tmp_path / "serinus.toml", "prod").endpoints[0].settings.memory_mb == 1769


@pytest.mark.parametrize("environment", ["dev", "local"])
def test_the_checkouts_own_settings_are_valid(environment: str) -> None:
    assert load_settings(ROOT / "serinus.toml", environment).endpoints


def test_the_environment_that_the_checkouts_settings_suggest_is_valid(tmp_path: Path) -> None:
    text = (ROOT / "serinus.toml").read_text(encoding="utf-8")
    suggested = text[text.index("# [env.prod]") :].replace("# ", "").replace("#\n", "\n")
    (tmp_path / "serinus.toml").write_text(text + suggested, encoding="utf-8")

    assert "prod" in tomllib.loads(text + suggested)["env"]
    assert load_settings(tmp_path / "serinus.toml", "prod").account == "123456789012"
