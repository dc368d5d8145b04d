"""Whether a rollout is possible with its settings, and whether its judge can reach a verdict in time."""

from collections.abc import Iterator, Mapping

from serinus.infra.lint.figures import minutes_in_words
from serinus.infra.lint.finding import Problem
from serinus.infra.names import UNBOUND_ENVIRONMENTS
from serinus.infra.settings import Endpoint, RolloutSettings, Settings
from serinus.infra.settings.rollout_schema import LONGEST_SHIFT_MINUTES
from serinus.infra.traffic_shift import shift_of
from serinus.lambda_handlers.contract.release import LAST_WORD_MINUTES

#: CodeDeploy waits an hour for the hook that holds a blue_green deployment
#: (docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html), less some minutes
#: in which the judge answers and its metrics settle.
LONGEST_HELD_MINUTES = 55
#: Minutes for a verdict on live requests, whose metrics take two minutes to settle, and for its alarm to stop it.
#: With blue_green the first minute and the three worst do not count, and one more must show even a total failure.
SHORTEST_JUDGED_MINUTES = {"canary": 2 * LAST_WORD_MINUTES, "linear": 2 * LAST_WORD_MINUTES, "blue_green": 7}

_USED_BY: Mapping[str, tuple[str, ...]] = {
    "share_percent": ("canary",),
    "bake_minutes": ("canary", "blue_green"),
    "step_percent": ("linear",),
    "interval_minutes": ("linear",),
    "minimum_requests": ("canary", "linear", "blue_green"),
    "requests_per_minute": ("canary", "linear"),
    "on_not_enough_evidence": ("canary", "linear", "blue_green"),
}


def check_length(_settings: Settings, endpoint: Endpoint) -> Iterator[Problem]:
    """A shift or a wait beyond the limits of CloudFormation and CodeDeploy."""
    rollout = endpoint.settings.rollout
    minutes = shift_of(rollout).minutes
    if minutes > LONGEST_SHIFT_MINUTES:
        yield Problem(
            "error",
            ("rollout", "interval_minutes"),
            f"steps of {rollout.step_percent} % every {minutes_in_words(rollout.interval_minutes)} take "
            f"{minutes_in_words(minutes)}; CloudFormation allows {LONGEST_SHIFT_MINUTES} (33 hours) for a shift",
            "Set larger steps or a shorter interval",
        )
    if rollout.strategy == "blue_green" and rollout.bake_minutes > LONGEST_HELD_MINUTES:
        yield Problem(
            "error",
            ("rollout", "bake_minutes"),
            f"a switched deployment would wait for {minutes_in_words(rollout.bake_minutes)}; CodeDeploy gives "
            f"up after an hour, and {LONGEST_HELD_MINUTES} leave time to report to it",
            f"Set {LONGEST_HELD_MINUTES} or less, or strategy canary, which bakes up to 33 hours",
        )


def length_key(rollout: RolloutSettings) -> tuple[str, str]:
    """The setting that makes a release longer."""
    return ("rollout", "interval_minutes" if rollout.strategy == "linear" else "bake_minutes")


def check_judged_minutes(_settings: Settings, endpoint: Endpoint) -> Iterator[Problem]:
    """A bake that ends before there can be a verdict."""
    rollout = endpoint.settings.rollout
    judged, least = shift_of(rollout).judged_minutes, SHORTEST_JUDGED_MINUTES.get(rollout.strategy, 0)
    if judged >= least:
        return
    late = (
        "metrics settle after two, and the first and the three worst do not count"
        if rollout.strategy == "blue_green"
        else f"metrics settle after two, and its alarm may need {LAST_WORD_MINUTES} to stop CodeDeploy, so that "
        "all traffic would reach a bad version before the post-traffic check fails it"
    )
    yield Problem(
        "warning",
        length_key(rollout),
        f"the new version is judged for {minutes_in_words(judged)}, too short for a verdict on live "
        f"requests: {late}",
        f"Set {minutes_in_words(least)} or more",
    )


def check_traffic(_settings: Settings, endpoint: Endpoint) -> Iterator[Problem]:
    """A judge that can never see as many requests as it needs."""
    config, rollout = endpoint.settings, endpoint.settings.rollout
    shift = shift_of(rollout)
    if rollout.strategy == "all_at_once":
        return
    most = config.rate_limit_per_s * 60 * shift.judged_minutes * shift.first_share_percent // 100
    if most < rollout.minimum_requests:
        yield Problem(
            "warning",
            ("rollout", "minimum_requests"),
            f"a verdict requires {rollout.minimum_requests} requests, but at rate_limit_per_s = "
            f"{config.rate_limit_per_s} an API key can send the new version {most} in "
            f"{minutes_in_words(shift.judged_minutes)}",
            "Bake longer, give the new version a larger share, or require fewer requests",
        )


def check_ignored(_settings: Settings, endpoint: Endpoint) -> Iterator[Problem]:
    """Settings of another strategy."""
    rollout = endpoint.settings.rollout
    for key, strategies in _USED_BY.items():
        if key in rollout.model_fields_set and rollout.strategy not in strategies:
            yield Problem(
                "warning",
                ("rollout", key),
                f"strategy {rollout.strategy} ignores {key}",
                f"Remove it, or set strategy {' or '.join(strategies)}",
            )


def check_unjudged(settings: Settings, endpoint: Endpoint) -> Iterator[Problem]:
    """All traffic at once where an account is named."""
    if endpoint.settings.rollout.strategy == "all_at_once" and settings.environment not in UNBOUND_ENVIRONMENTS:
        yield Problem(
            "warning",
            ("rollout", "strategy"),
            "all_at_once is checked before traffic only: a fault that only live requests show reaches all of "
            "them, and alarms fire too late to stop it",
            "Set strategy canary, or blue_green if two versions must not serve side by side",
        )
