"""A second cold start of a version, to tell a slow version from the first start of new code.

The first environment of a version that was published seconds ago also waits until Lambda has fetched and cached
its layers; later ones do not. Lambda gives an environment one request at a time, so requests that are sent
together start further ones.
"""

from concurrent.futures import ThreadPoolExecutor

from serinus.lambda_handlers.hooks.errors import NoResponse
from serinus.lambda_handlers.hooks.probe import Expectation
from serinus.lambda_handlers.hooks.version import Version, VersionResponse

#: Requests at once, and how often they are sent: one environment may answer all of a few quick ones.
_TOGETHER = 4
_ROUNDS = 3


def start_again(version: Version, expected: Expectation) -> VersionResponse | None:
    """The response of an environment that has just started; None if no request met one, as where the function's
    concurrency is reserved for one environment."""

    def ask(_number: int) -> VersionResponse | None:
        try:
            return version.post("/predict", {"rows": list(expected.golden.rows)})
        except NoResponse:  # throttled, for example; whether the version answers is checked by other requests
            return None

    with ThreadPoolExecutor(_TOGETHER) as pool:
        for _ in range(_ROUNDS):
            for response in pool.map(ask, range(_TOGETHER)):
                if response is not None and response.cold:
                    return response
    return None
