"""serinus.toml, read once and validated: the only source of settings for everything else."""

from serinus.infra.settings.access_schema import Auth, DomainSettings, Front, JwtSettings, Tls, WafSettings
from serinus.infra.settings.cold_start_schema import ProvisionedSettings
from serinus.infra.settings.function_environment import function_environment
from serinus.infra.settings.load import (
    Endpoint,
    Settings,
    bundle_store,
    known_environments,
    load_settings,
    read_positions,
)
from serinus.infra.settings.monitor_schema import MonitorSettings
from serinus.infra.settings.monitored import monitored_settings
from serinus.infra.settings.operations_schema import OperationsSettings, SlackSettings, TeamsSettings
from serinus.infra.settings.release_environment import release_environment
from serinus.infra.settings.rollout_schema import AlarmSettings, RolloutSettings
from serinus.infra.settings.schema import EndpointSettings

__all__ = [
    "AlarmSettings",
    "Auth",
    "DomainSettings",
    "Endpoint",
    "EndpointSettings",
    "Front",
    "JwtSettings",
    "MonitorSettings",
    "OperationsSettings",
    "ProvisionedSettings",
    "RolloutSettings",
    "Settings",
    "SlackSettings",
    "TeamsSettings",
    "Tls",
    "WafSettings",
    "bundle_store",
    "function_environment",
    "known_environments",
    "load_settings",
    "monitored_settings",
    "read_positions",
    "release_environment",
]
