"""The pytest plugin. Every pytest run of an environment with serinus loads it, so it imports nothing of ours
until a test uses a fixture.

Each fixture has a long name, which no project uses for something else, and the fixtures depend on each other by
these alone; the short names are for tests. A project's own fixture `cloud` or `endpoint` wins over ours and
changes nothing but the tests that use it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from serinus.testing.cloud import SessionCloud
    from serinus.testing.endpoint import EndpointsUnderTest, EndpointUnderTest


@pytest.fixture(scope="session")
def serinus_project(pytestconfig: pytest.Config) -> Path:
    """The folder in or below which serinus.toml is searched upwards: pytest's rootdir. Override it for a project
    elsewhere."""
    return pytestconfig.rootpath


@pytest.fixture(scope="session")
def serinus_environment() -> str | None:
    """The environment whose settings and pins are tested. None: `local` for deployed endpoints and `dev` for
    releases, as `serinus deploy --local` and `serinus rehearse` use. Override it to name one."""
    return None


@pytest.fixture(scope="session")
def serinus_cloud(
    serinus_project: Path, serinus_environment: str | None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator["SessionCloud"]:
    """The session's own offline cloud; `cloud` is its short name."""
    from serinus.testing.cloud import session_cloud

    with session_cloud(serinus_project, serinus_environment, tmp_path_factory.mktemp("serinus")) as cloud:
        yield cloud


@pytest.fixture(scope="session")
def serinus_endpoints(serinus_cloud: "SessionCloud") -> "EndpointsUnderTest":
    """The project's endpoints by name; `endpoints` is its short name."""
    from serinus.testing.endpoint import EndpointsUnderTest

    return EndpointsUnderTest(serinus_cloud)


@pytest.fixture(scope="session")
def serinus_endpoint(
    request: pytest.FixtureRequest, serinus_endpoints: "EndpointsUnderTest"
) -> "EndpointUnderTest":
    """The project's endpoint; `endpoint` is its short name."""
    return serinus_endpoints.select(getattr(request, "param", None))


@pytest.fixture(scope="session")
def cloud(serinus_cloud: "SessionCloud") -> "SessionCloud":
    """An offline cloud of this test session's own (one for each xdist worker), ended with it: `cloud.url`,
    `cloud.client("s3")`, a boto3 client."""
    return serinus_cloud


@pytest.fixture(scope="session")
def endpoints(serinus_endpoints: "EndpointsUnderTest") -> "EndpointsUnderTest":
    """The project's endpoints by name, each deployed into `cloud` on first use: `endpoints["churn"]`."""
    return serinus_endpoints


@pytest.fixture(scope="session")
def endpoint(request: pytest.FixtureRequest, serinus_endpoints: "EndpointsUnderTest") -> "EndpointUnderTest":
    """The project's endpoint, deployed into `cloud`: `endpoint.predict(rows)`, `.url`, `.release(bundle)`.

    If serinus.toml has several, name one: `@pytest.mark.parametrize("endpoint", ["churn"], indirect=True)`."""
    return serinus_endpoints.select(getattr(request, "param", None))
