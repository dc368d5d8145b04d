"""The operations on dashboards: stored and returned, not rendered."""

import json
from typing import Any

from serinus.offline.core.errors import AwsError
from serinus.offline.core.service import Call
from serinus.offline.services.cloudwatch.base import Dashboard, Regional, invalid
from serinus.offline.services.cloudwatch.pages import page

MAX_NAME = 255
MAX_WIDGETS = 500


class DashboardsApi(Regional):
    """Operations of CloudWatch on dashboards, which are the same in all regions, as on AWS."""

    def put_dashboard(self, call: Call) -> dict[str, Any]:
        name, body = call.params["DashboardName"], call.params["DashboardBody"]
        if not 1 <= len(name) <= MAX_NAME or not name.replace("-", "a").replace("_", "a").isalnum():
            raise invalid(
                f"The value {name} for field DashboardName contains invalid characters. "
                "It can only contain alphanumerics, dash (-) and underscore (_)."
            )
        _check(body)
        self._all[name] = Dashboard(name, body, self.context.clock.time())
        return {"DashboardValidationMessages": []}

    def get_dashboard(self, call: Call) -> dict[str, Any]:
        dashboard = self._dashboard(call.params["DashboardName"])
        return {
            "DashboardArn": self._arn(dashboard.name),
            "DashboardBody": dashboard.body,
            "DashboardName": dashboard.name,
        }

    def list_dashboards(self, call: Call) -> dict[str, Any]:
        prefix = call.params.get("DashboardNamePrefix", "")
        boards = [board for name, board in sorted(self._all.items()) if name.startswith(prefix)]
        shown, token = page(boards, 1000, call, error="InvalidParameterValue")
        entries = [
            {
                "DashboardName": board.name,
                "DashboardArn": self._arn(board.name),
                "LastModified": board.modified_at,
                "Size": len(board.body.encode()),
            }
            for board in shown
        ]
        return {"DashboardEntries": entries} | token

    def delete_dashboards(self, call: Call) -> dict[str, Any]:
        names = call.params["DashboardNames"]
        for name in names:
            self._dashboard(name)
        for name in names:
            self._all.pop(name, None)
        return {}

    @property
    def _all(self) -> dict[str, Dashboard]:
        return self.region("global").dashboards

    def _dashboard(self, name: str) -> Dashboard:
        dashboard = self._all.get(name)
        if dashboard is None:
            raise AwsError("ResourceNotFound", f"Dashboard {name} does not exist", status=404)
        return dashboard

    def _arn(self, name: str) -> str:
        return f"arn:aws:cloudwatch::{self.context.config.account_id}:dashboard/{name}"


def _check(body: str) -> None:
    try:
        parsed = json.loads(body)
    except ValueError as error:
        raise _rejected(f"The dashboard body is not valid JSON: {error}") from error
    widgets = parsed.get("widgets") if isinstance(parsed, dict) else None
    if not isinstance(widgets, list):
        raise _rejected('The dashboard body must be an object with an array "widgets"')
    if len(widgets) > MAX_WIDGETS:
        raise _rejected(f"The dashboard has {len(widgets)} widgets; at most {MAX_WIDGETS} are allowed")


def _rejected(message: str) -> AwsError:
    return AwsError(
        "InvalidParameterInput", f"The field DashboardBody must be a valid JSON object: {message}", status=400
    )
