"""docs/settings.md, generated from the models: `python -m serinus.infra.settings.reference > docs/settings.md`."""

import json
from pathlib import Path

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from serinus.infra.settings.acceptance_schema import AcceptanceSettings
from serinus.infra.settings.access_schema import DomainSettings, JwtSettings, WafSettings
from serinus.infra.settings.allowed import allowed_values
from serinus.infra.settings.cold_start_schema import ProvisionedSettings
from serinus.infra.settings.explanation_schema import ExplanationSettings
from serinus.infra.settings.monitor_schema import MonitorSettings
from serinus.infra.settings.operations_schema import OperationsSettings, SlackSettings, TeamsSettings
from serinus.infra.settings.rollout_schema import AlarmSettings, RolloutSettings
from serinus.infra.settings.schema import EndpointSettings, EndpointTable, EnvironmentSettings, ProjectSettings

_PREAMBLE = Path(__file__).with_name("reference_preamble.md")
#: Tables within a table: explained by the preamble, or by a section of their own.
_NESTED = frozenset(
    {
        "defaults",
        "endpoint",
        "rollout",
        "alarms",
        "monitor",
        "explanations",
        "provisioned",
        "jwt",
        "domain",
        "waf",
        "operations",
        "slack",
        "teams",
        "acceptance",
    }
)


def render_reference() -> str:
    """The whole page."""
    return "\n".join(
        [
            _PREAMBLE.read_text(encoding="utf-8"),
            *_section("`[project]`", ProjectSettings),
            *_section("`[defaults]` and `[endpoint.NAME]`", EndpointSettings),
            *_section("`[endpoint.NAME]` only", EndpointTable, apart_from=EndpointSettings),
            *_section("`[defaults.jwt]` and `[endpoint.NAME.jwt]`", JwtSettings),
            *_section("`[defaults.domain]` and `[endpoint.NAME.domain]`", DomainSettings),
            *_section("`[defaults.waf]` and `[endpoint.NAME.waf]`", WafSettings),
            *_section("`[defaults.provisioned]` and `[endpoint.NAME.provisioned]`", ProvisionedSettings),
            *_section("`[defaults.rollout]` and `[endpoint.NAME.rollout]`", RolloutSettings),
            *_section("`[defaults.alarms]` and `[endpoint.NAME.alarms]`", AlarmSettings),
            *_section("`[defaults.monitor]` and `[endpoint.NAME.monitor]`", MonitorSettings),
            *_section("`[defaults.explanations]` and `[endpoint.NAME.explanations]`", ExplanationSettings),
            *_section("`[endpoint.NAME.acceptance]`", AcceptanceSettings),
            *_section("`[operations]` and `[env.NAME.operations]`", OperationsSettings),
            *_section("`[operations.slack]` and `[env.NAME.operations.slack]`", SlackSettings),
            *_section("`[operations.teams]` and `[env.NAME.operations.teams]`", TeamsSettings),
            *_section("`[env.NAME]`", EnvironmentSettings),
        ]
    )


def _section(title: str, model: type[BaseModel], apart_from: type[BaseModel] = BaseModel) -> list[str]:
    """The settings of ``model``, without those of ``apart_from``."""
    lines = [f"## {title}", "", "| setting | default | allowed | meaning |", "| --- | --- | --- | --- |"]
    for name, field in model.model_fields.items():
        if name not in _NESTED and name not in apart_from.model_fields:
            meaning = " ".join((field.description or "").split())
            lines.append(f"| `{name}` | {_default(field.default)} | {allowed_values(model, name)} | {meaning} |")
    return [*lines, ""]


def _default(value: object) -> str:
    if value is PydanticUndefined:
        return "required"
    if value is None:
        return "unset"
    return f"`{json.dumps(value)}`"


if __name__ == "__main__":
    print(render_reference(), end="")
