"""A hook function's settings, from its environment: which endpoint it watches, and how strictly."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from serinus.lambda_handlers.contract import release
from serinus.lambda_handlers.contract.release import Inconclusive, Strategy
from serinus.lambda_handlers.contract.signals import ENV_MAX_ROWS
from serinus.lambda_handlers.hooks.errors import BadSetting

#: Golden rows in one request, unless the endpoint accepts fewer.
MOST_ROWS_PER_REQUEST = 100

_Choice = TypeVar("_Choice", Strategy, Inconclusive)


@dataclass(frozen=True, slots=True)
class Settings:
    """One endpoint's release settings. ``application`` and ``group`` are CodeDeploy's. ``share`` (0 to 1) of
    requests goes to the canary at first; with linear each step adds as much after ``interval_minutes``."""

    function: str
    alias: str
    application: str
    group: str
    strategy: Strategy
    bake_minutes: int
    share: float
    interval_minutes: int
    inconclusive: Inconclusive
    minimum_requests: int
    allow_breaking: bool
    cold_limit_ms: float
    warm_limit_ms: float
    settle_s: float
    slow_ms: float
    rows_per_request: int


def read_settings(environ: Mapping[str, str]) -> Settings:
    """The settings in ``environ``; raises `BadSetting` naming the variable."""
    return Settings(
        function=_text(environ, release.ENV_FUNCTION),
        alias=_text(environ, release.ENV_ALIAS),
        application=environ.get(release.ENV_APPLICATION, ""),
        group=environ.get(release.ENV_GROUP, ""),
        strategy=_choice(environ, release.ENV_STRATEGY, Strategy.CANARY),
        bake_minutes=int(_number(environ, release.ENV_BAKE_MINUTES, 15)),
        share=_number(environ, release.ENV_SHARE_PERCENT, 10) / 100,
        interval_minutes=int(max(1, _number(environ, release.ENV_INTERVAL_MINUTES, 2))),
        inconclusive=_choice(environ, release.ENV_INCONCLUSIVE, Inconclusive.PROMOTE),
        minimum_requests=int(_number(environ, release.ENV_MINIMUM_REQUESTS, release.MINIMUM_REQUESTS)),
        allow_breaking=environ.get(release.ENV_ALLOW_BREAKING) == "1",
        cold_limit_ms=_number(environ, release.ENV_COLD_LIMIT_MS, 8000),
        warm_limit_ms=_number(environ, release.ENV_WARM_LIMIT_MS, 2000),
        settle_s=_number(environ, release.ENV_SETTLE_S, 120),
        slow_ms=_number(environ, release.ENV_SLOW_MS, 1000),
        rows_per_request=min(MOST_ROWS_PER_REQUEST, max(1, int(_number(environ, ENV_MAX_ROWS, 1000)))),
    )


def read_version(environ: Mapping[str, str]) -> str:
    """The version that first_release checks; raises `BadSetting`."""
    return _text(environ, release.ENV_VERSION)


def _text(environ: Mapping[str, str], name: str) -> str:
    if value := environ.get(name):
        return value
    raise BadSetting(f"the environment variable {name} is missing. Deploy the endpoint again.")


def _number(environ: Mapping[str, str], name: str, default: float) -> float:
    text = environ.get(name)
    try:
        value = default if text is None else float(text)
    except ValueError as error:
        raise BadSetting(f"the environment variable {name} is {text!r}; it must be a number.") from error
    if not 0 <= value < float("inf"):
        raise BadSetting(f"the environment variable {name} is {text!r}; it must be 0 or more.")
    return value


def _choice(environ: Mapping[str, str], name: str, default: _Choice) -> _Choice:
    kind = type(default)
    try:
        return kind(environ.get(name, default))
    except ValueError as error:
        allowed = ", ".join(member.value for member in kind)
        raise BadSetting(
            f"the environment variable {name} is {environ[name]!r}; it must be one of {allowed}."
        ) from error
