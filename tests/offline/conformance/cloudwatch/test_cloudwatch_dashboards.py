"""CloudWatch's rules on dashboards, and what of CloudWatch is not modelled."""

from typing import Any

import pytest
from botocore.exceptions import ClientError


def test_dashboards_are_kept_and_checked(cloudwatch: Any) -> None:
    """A dashboard body is JSON with widgets; GetDashboard returns it.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html
    """
    cloudwatch.put_dashboard(DashboardName="board", DashboardBody='{"widgets": []}')
    assert cloudwatch.get_dashboard(DashboardName="board")["DashboardBody"] == '{"widgets": []}'
    assert [entry["DashboardName"] for entry in cloudwatch.list_dashboards()["DashboardEntries"]] == ["board"]
    with pytest.raises(ClientError) as error:
        cloudwatch.put_dashboard(DashboardName="board", DashboardBody="widgets")
    assert error.value.response["Error"]["Code"] == "InvalidParameterInput"
    cloudwatch.delete_dashboards(DashboardNames=["board"])
    with pytest.raises(ClientError) as error:
        cloudwatch.get_dashboard(DashboardName="board")
    assert error.value.response["Error"]["Code"] == "ResourceNotFound"


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("put_anomaly_detector", {}),
        ("put_insight_rule", {"RuleName": "r", "RuleDefinition": "{}"}),
        ("list_metric_streams", {}),
        ("get_metric_widget_image", {"MetricWidget": "{}"}),
    ],
)
def test_what_is_not_modelled_is_refused_by_name(
    cloudwatch: Any, operation: str, parameters: dict[str, Any]
) -> None:
    """Anomaly detection, insight rules, streams and images are named in the refusal.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Operations.html
    """
    with pytest.raises(ClientError) as error:
        getattr(cloudwatch, operation)(**parameters)
    assert error.value.response["Error"]["Code"] == "NotImplemented"
    assert operation.replace("_", "") in str(error.value).lower()
