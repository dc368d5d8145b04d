"""Endpoints under test: deployed into the session's cloud, called over HTTP, released in rehearsals."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serinus.testing.cloud import SessionCloud, fail
from serinus.testing.release import RehearsedRelease, rehearse

if TYPE_CHECKING:
    from pandas import DataFrame

    from serinus.modelpack.request import PackageResult

#: Requests per cloud minute of a rehearsal, as the command's default.
REQUESTS_PER_MINUTE = 200


class EndpointUnderTest:
    """An endpoint of the project, deployed into the session's cloud."""

    def __init__(self, name: str, cloud: SessionCloud) -> None:
        deployed = cloud.deploy(name)
        self.name = name
        self._cloud = cloud
        self._endpoint: dict[str, Any] = deployed["endpoint"]
        self._features: list[str] = deployed["features"]
        self._token: str | None = deployed["token"]
        #: The model's name and the beginning of its bundle's version: `answer["model"]`, `answer["version"]`.
        self.model: str = deployed["model"]
        self.version: str = deployed["version"]
        #: Rows of the sample that `serinus package` keeps with a bundle.
        self.example_rows: list[dict[str, Any]] = deployed["rows"]

    def __repr__(self) -> str:
        return f"<endpoint {self.name} at {self.url}>"

    @property
    def url(self) -> str:
        """Its address, without a slash at the end: `POST {url}/predict`."""
        url: str = self._endpoint["url"]
        return url

    @property
    def key(self) -> str | None:
        """The API key for the header x-api-key; None unless the endpoint has auth = "api_key"."""
        key: str | None = self._endpoint["key"]
        return key

    def predict(self, rows: "Sequence[Mapping[str, Any] | Sequence[Any]] | DataFrame") -> dict[str, Any]:
        """What `POST /predict` answers over HTTP for ``rows``: dicts by feature name, lists in the signature's
        order, a DataFrame or an array.

        Raises `serinus.RequestRejected` for rows that the endpoint rejects, with its ``problem`` document.
        """
        from serinus.cli.endpoints import Endpoint
        from serinus.cli.request_auth import auth_for
        from serinus.deployed import post_rows
        from serinus.rows import encode_rows

        target = self._cloud.target()
        auth = auth_for(Endpoint(**self._endpoint), target, self._token)
        return post_rows(self.url, auth, encode_rows(rows, self._features))

    def release(
        self,
        bundle: "str | Path | PackageResult | None" = None,
        *,
        fault: str | None = None,
        rate: float = REQUESTS_PER_MINUTE,
        seed: int = 1,
    ) -> RehearsedRelease:
        """Rehearse the release of ``bundle`` over the pinned one, and return how it ended.

        It is `serinus rehearse --stepped`, in a cloud of its own: the deployed endpoint, the project and other
        tests do not change. ``bundle`` is a bundle's folder, the beginning of its version, or what
        `serinus.package` returned; None: the one that the command releases without --candidate. ``fault`` is
        given to the new version: "errors=20%", "latency=+300ms", "crash", "slow-init", "wrong-answers" or "nan".
        ``rate`` is in requests per cloud minute; ``seed`` makes routing, faults and rows the same in each run.
        """
        __tracebackhide__ = True
        candidate = None if bundle is None else str(getattr(bundle, "bundle", bundle))
        if candidate and Path(candidate).is_dir():  # of the working folder, not of the project
            candidate = str(Path(candidate).resolve())
        return rehearse(self._cloud, self.name, candidate=candidate, fault=fault, rate=rate, seed=seed)


class EndpointsUnderTest(Mapping[str, EndpointUnderTest]):
    """The project's endpoints by name, each deployed when it is first used."""

    def __init__(self, cloud: SessionCloud) -> None:
        self._cloud = cloud
        self._deployed: dict[str, EndpointUnderTest] = {}

    def __getitem__(self, name: str) -> EndpointUnderTest:
        __tracebackhide__ = True
        if name not in self._cloud.endpoints:
            raise KeyError(f"no endpoint {name!r} in serinus.toml; it has {', '.join(self._cloud.endpoints)}")
        if name not in self._deployed:
            self._deployed[name] = EndpointUnderTest(name, self._cloud)
        return self._deployed[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._cloud.endpoints)

    def __len__(self) -> int:
        return len(self._cloud.endpoints)

    def __repr__(self) -> str:
        return f"<endpoints {', '.join(self)} of {self._cloud.project}>"

    def select(self, name: str | None) -> EndpointUnderTest:
        """Endpoint ``name``, or the project's only one; ends the test where there is no such or no only one."""
        names = self._cloud.endpoints
        if name is not None and name not in names:
            fail(f"no endpoint {name!r} in serinus.toml; it has {', '.join(names)}.")
        if name is None and len(names) > 1:
            fail(
                f"serinus.toml has several endpoints ({', '.join(names)}). Name one: "
                f'@pytest.mark.parametrize("endpoint", ["{names[0]}"], indirect=True), or use the fixture '
                f'endpoints["{names[0]}"].'
            )
        return self[name or names[0]]
