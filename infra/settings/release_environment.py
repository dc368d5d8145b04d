"""The environment variables of the functions that check and judge releases."""

from collections.abc import Mapping

from serinus.infra.names import ALIAS, DEPLOYMENT_GROUP
from serinus.infra.settings.schema import EndpointSettings
from serinus.lambda_handlers.contract import release, signals


def release_environment(
    stack: str, settings: EndpointSettings, *, judged_minutes: int, share_percent: int, hotfix: bool
) -> Mapping[str, str]:
    """All variables of the hooks of ``stack``; a ``hotfix`` is released as with strategy all_at_once.
    ``share_percent`` of requests go to the new version at first."""
    rollout = settings.rollout
    return {
        "OPENBLAS_NUM_THREADS": "1",
        release.ENV_FUNCTION: stack,
        release.ENV_ALIAS: ALIAS,
        release.ENV_APPLICATION: stack,
        release.ENV_GROUP: DEPLOYMENT_GROUP,
        release.ENV_STRATEGY: release.Strategy.ALL_AT_ONCE if hotfix else rollout.strategy,
        release.ENV_BAKE_MINUTES: str(judged_minutes),
        release.ENV_SHARE_PERCENT: str(share_percent),
        release.ENV_INTERVAL_MINUTES: str(rollout.interval_minutes),
        release.ENV_INCONCLUSIVE: rollout.on_not_enough_evidence,
        release.ENV_MINIMUM_REQUESTS: str(rollout.minimum_requests),
        release.ENV_ALLOW_BREAKING: "1" if rollout.allow_breaking else "0",
        release.ENV_COLD_LIMIT_MS: str(rollout.cold_limit_ms),
        release.ENV_WARM_LIMIT_MS: str(rollout.warm_limit_ms),
        signals.ENV_MAX_ROWS: str(settings.max_rows),
    }
