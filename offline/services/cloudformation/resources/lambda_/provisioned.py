"""Requests a version's or alias's provisioned concurrency and waits for it."""

from serinus.offline.core.clock import monotonic
from serinus.offline.services.cloudformation.errors import ResourceFailed
from serinus.offline.services.cloudformation.provider import ResourceRequest

READY_TIMEOUT_S = 900
POLL_S = 0.1


def settle(request: ResourceRequest, function: str, qualifier: str) -> None:
    """Set provisioned concurrency as the properties require and wait until it is ready."""
    if not request.changed("ProvisionedConcurrencyConfig"):
        return
    client, where = request.client("lambda"), {"FunctionName": function, "Qualifier": qualifier}
    provisioned = request.properties.get("ProvisionedConcurrencyConfig")
    if provisioned is None:
        client.delete_provisioned_concurrency_config(**where)
        return
    count = int(provisioned["ProvisionedConcurrentExecutions"])
    client.put_provisioned_concurrency_config(**where, ProvisionedConcurrentExecutions=count)
    deadline = monotonic() + READY_TIMEOUT_S
    while (status := client.get_provisioned_concurrency_config(**where))["Status"] == "IN_PROGRESS":
        if request.cancelled.wait(POLL_S) or monotonic() > deadline:
            raise ResourceFailed(f"Provisioned concurrency of {function}:{qualifier} did not become ready")
    if status["Status"] != "READY":
        raise ResourceFailed(status.get("StatusReason") or f"Provisioned concurrency is {status['Status']}")
