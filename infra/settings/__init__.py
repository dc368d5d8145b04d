"""serinus.toml, read once and validated: everything below works with what stands here."""

from infra.settings.function_environment import function_environment
from infra.settings.load import Endpoint, Settings, known_environments, load_settings
from infra.settings.schema import EndpointSettings

__all__ = [
    "Endpoint",
    "EndpointSettings",
    "Settings",
    "function_environment",
    "known_environments",
    "load_settings",
]
