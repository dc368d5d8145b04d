"""Which metrics name the executed version, and provisioned concurrency under weights: on a separate alias."""

import json

import botocore.exceptions

from serinus.cli.account_check.metric_delays import alias_series, count_values
from serinus.cli.account_check.observation import clock_text
from serinus.cli.account_check.session import CheckSession
from serinus.infra.names import ALIAS
from serinus.lambda_handlers.hooks.version import proxy_event

WEIGHTED_ALIAS = "account-check"
CALLS = 20
#: Cloud seconds for a metric to appear, and after which one that has not appeared, while another of the same calls
#: has, does not exist.
SEEN_TIMEOUT_S, ABSENT_AFTER_S = 15 * 60.0, 180.0
REQUEST_EVENT = json.dumps(proxy_event("POST", "/predict", '{"rows": [{"a": 1.0, "b": 1.0, "c": 0.0}]}')).encode()


def observe_weighted_alias(session: CheckSession, stable: str, canary: str) -> None:
    """Observe executed-version, throttled-version and alias-with-provisioned. The alias with requests,
    ``live``, has no weights now."""
    functions = session.client("lambda")
    since = session.now()
    session.inventory.creating("alias", f"{session.stack}:{WEIGHTED_ALIAS}")
    functions.create_alias(
        FunctionName=session.stack,
        Name=WEIGHTED_ALIAS,
        FunctionVersion=stable,
        RoutingConfig={"AdditionalVersionWeights": {canary: 0.5}},
    )
    for _ in range(CALLS):
        functions.invoke(FunctionName=session.stack, Qualifier=WEIGHTED_ALIAS, Payload=REQUEST_EVENT)
        functions.invoke(FunctionName=session.stack, Qualifier=ALIAS, Payload=REQUEST_EVENT)
    live = functions.get_alias(FunctionName=session.stack, Name=ALIAS)["FunctionVersion"]
    _observe_executed(session, since, stable, canary, live)
    _observe_throttled(session, stable, canary)
    _observe_provisioned(session, stable, canary)
    functions.delete_alias(FunctionName=session.stack, Name=WEIGHTED_ALIAS)


def _observe_executed(session: CheckSession, since: float, stable: str, canary: str, live: str) -> None:
    weighted = sum(_named(session, WEIGHTED_ALIAS, "Invocations", since, [stable, canary]).values())
    unweighted = sum(_named(session, ALIAS, "Invocations", since, [live]).values())
    counts = (
        f"of {CALLS} calls each from {clock_text(since)} on, {unweighted:g} by the alias without weights and "
        f"{weighted:g} by the one with weights have an ExecutedVersion"
    )
    if unweighted:
        session.observe("executed-version", "always", counts)
    elif weighted:
        session.observe("executed-version", "while-weighted", counts)
    else:
        session.observe("executed-version", None, counts)


def _named(session: CheckSession, alias: str, metric: str, since: float, versions: list[str]) -> dict[str, float]:
    """How many calls by ``alias`` count under each of ``versions``, once all of its calls are seen."""
    every = alias_series(session, alias, metric)
    by_version = {version: alias_series(session, alias, metric, version) for version in versions}

    def all_seen() -> bool:
        return count_values(session, [every], since, "Sum")[every] >= CALLS

    session.waiting.until(all_seen, SEEN_TIMEOUT_S, what=f"{metric} of {alias}")

    def named() -> dict[str, float] | None:
        counts = count_values(session, list(by_version.values()), since, "Sum")
        by_number = {version: counts[series] for version, series in by_version.items()}
        return by_number if sum(by_number.values()) >= CALLS else None

    complete = session.waiting.until(named, ABSENT_AFTER_S, every_s=5.0, what=f"{metric} by version")
    if complete is not None:
        return complete
    counts = count_values(session, list(by_version.values()), since, "Sum")
    return {version: counts[series] for version, series in by_version.items()}


def _observe_throttled(session: CheckSession, stable: str, canary: str) -> None:
    functions, since = session.client("lambda"), session.now()
    throttled = 0
    session.inventory.creating("reserved concurrency", session.stack)
    functions.put_function_concurrency(FunctionName=session.stack, ReservedConcurrentExecutions=0)
    try:

        def refused() -> bool:
            nonlocal throttled
            try:
                functions.invoke(FunctionName=session.stack, Qualifier=WEIGHTED_ALIAS, Payload=REQUEST_EVENT)
            except functions.exceptions.TooManyRequestsException:
                throttled += 1
            return throttled >= CALLS

        session.waiting.until(refused, 300.0, every_s=0.2, what="throttling")
    finally:
        functions.delete_function_concurrency(FunctionName=session.stack)
    if throttled < CALLS:
        session.observe(
            "throttled-version", None, f"only {throttled} calls were throttled with no concurrency left"
        )
        return
    named = sum(_named(session, WEIGHTED_ALIAS, "Throttles", since, [stable, canary]).values())
    every = count_values(session, [alias_series(session, WEIGHTED_ALIAS, "Throttles")], since, "Sum")
    session.observe(
        "throttled-version",
        "present" if named else "absent",
        f"{throttled} calls by an alias with weights, or more, were throttled from {clock_text(since)} on; "
        f"{sum(every.values()):g} count for the alias, {named:g} with an ExecutedVersion",
    )


def _observe_provisioned(session: CheckSession, stable: str, canary: str) -> None:
    """Weights on an alias that keeps an environment ready: as a release would set them."""
    functions = session.client("lambda")
    by_name = {"FunctionName": session.stack, "Name": WEIGHTED_ALIAS}
    provisioned = {"FunctionName": session.stack, "Qualifier": WEIGHTED_ALIAS}
    no_weights: dict[str, float] = {}
    functions.update_alias(
        **by_name, FunctionVersion=stable, RoutingConfig={"AdditionalVersionWeights": no_weights}
    )
    try:
        functions.put_provisioned_concurrency_config(**provisioned, ProvisionedConcurrentExecutions=1)
    except botocore.exceptions.ClientError as error:
        session.observe("alias-with-provisioned", None, f"PutProvisionedConcurrencyConfig: {_message(error)}")
        return

    def ready() -> bool:
        status = functions.get_provisioned_concurrency_config(**provisioned)["Status"]
        return bool(status != "IN_PROGRESS")

    session.waiting.until(ready, 900.0, every_s=2.0, what="a ready environment")
    try:
        functions.update_alias(**by_name, RoutingConfig={"AdditionalVersionWeights": {canary: 0.5}})
    except botocore.exceptions.ClientError as error:
        refused = "weight" in _message(error).lower() or "routing" in _message(error).lower()
        session.observe(
            "alias-with-provisioned",
            "refused" if refused else None,
            f"UpdateAlias with weights, while the alias kept an environment ready: {_message(error)}",
        )
    else:
        session.observe(
            "alias-with-provisioned",
            "accepted",
            "UpdateAlias with weights passed, while the alias kept one ready",
        )
    functions.delete_provisioned_concurrency_config(**provisioned)


def _message(error: botocore.exceptions.ClientError) -> str:
    return str(error.response["Error"]["Message"])
