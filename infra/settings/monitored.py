"""The variable that lists an environment's monitored endpoints for its monitor."""

import json
from collections.abc import Mapping

from serinus.infra.settings.monitor_schema import MonitorSettings


def monitored_settings(settings: Mapping[str, MonitorSettings]) -> str:
    """JSON: function -> its settings that are not the defaults; short, since Lambda allows 4 KB of variables."""
    written = {
        function: monitor.model_dump(exclude={"enabled"}, exclude_defaults=True)
        for function, monitor in sorted(settings.items())
    }
    return json.dumps(written, separators=(",", ":"))
