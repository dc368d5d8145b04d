"""The Lambda service's whole state: plain, picklable data in one place.

Zips themselves are on disk under their hash; the state names them.
"""

from dataclasses import dataclass, field
from typing import Any

LATEST = "$LATEST"


@dataclass(slots=True)
class FunctionVersion:
    """Code and configuration of ``$LATEST`` or of a published version.

    ``configuration`` holds the user's settings, under boto3's names and with defaults.
    """

    version: str
    configuration: dict[str, Any]
    code_sha256: str
    code_size_bytes: int
    last_modified: float
    revision_id: str
    description: str = ""
    state: str = "Pending"
    state_reason: str | None = "The function is being created."
    state_reason_code: str | None = "Creating"
    last_update_status: str = "Successful"


@dataclass(slots=True)
class Alias:
    """A name for one version, or for two with the second version's share of traffic."""

    name: str
    version: str
    revision_id: str
    description: str = ""
    additional: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class ProvisionedConcurrency:
    """Provisioned concurrency of an alias or version."""

    requested: int
    last_modified: float
    status: str = "IN_PROGRESS"
    status_reason: str | None = None
    allocated: int = 0


@dataclass(slots=True)
class Policy:
    """A resource policy: statements by id, in the order they were added."""

    revision_id: str
    statements: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(slots=True)
class EventInvokeConfig:
    """Retries and destinations of one qualifier's asynchronous invocations."""

    last_modified: float
    maximum_retry_attempts: int | None = None
    maximum_event_age_s: int | None = None
    destinations: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Function:
    """A function with all its parts. Policies and the like are stored by qualifier."""

    name: str
    region: str
    arn: str
    latest: FunctionVersion
    next_version: int = 1
    versions: dict[str, FunctionVersion] = field(default_factory=dict)
    aliases: dict[str, Alias] = field(default_factory=dict)
    policies: dict[str, Policy] = field(default_factory=dict)
    event_invoke: dict[str, EventInvokeConfig] = field(default_factory=dict)
    provisioned: dict[str, ProvisionedConcurrency] = field(default_factory=dict)
    reserved_concurrency: int | None = None
    tags: dict[str, str] = field(default_factory=dict)

    def version(self, number: str) -> FunctionVersion | None:
        return self.latest if number == LATEST else self.versions.get(number)


@dataclass(slots=True)
class LayerVersion:
    """One immutable version of a layer."""

    arn: str
    version: int
    code_sha256: str
    code_size_bytes: int
    unzipped_bytes: int
    created: float
    description: str = ""
    license_info: str = ""
    runtimes: list[str] = field(default_factory=list)
    architectures: list[str] = field(default_factory=list)
    policy: Policy | None = None


@dataclass(slots=True)
class Layer:
    """A layer's versions; numbers are never reused."""

    name: str
    arn: str
    next_version: int = 1
    versions: dict[int, LayerVersion] = field(default_factory=dict)


@dataclass(slots=True)
class QueuedEvent:
    """An accepted asynchronous invocation that is not yet settled; times are cloud time."""

    request_id: str
    region: str
    function: str
    qualifier: str | None
    payload: bytes
    accepted: float
    client_context: str | None = None
    attempts: int = 0
    throttles: int = 0
    #: The due time of the next attempt.
    due: float = 0.0


@dataclass(slots=True)
class FunctionRegion:
    """One region's functions and layers by name."""

    functions: dict[str, Function] = field(default_factory=dict)
    layers: dict[str, Layer] = field(default_factory=dict)


@dataclass(slots=True)
class LambdaState:
    """The whole state of the service."""

    regions: dict[str, FunctionRegion] = field(default_factory=dict)
    events: dict[str, QueuedEvent] = field(default_factory=dict)
    #: Unzipped size in bytes by the hash of the zip (hex SHA-256).
    unzipped_bytes: dict[str, int] = field(default_factory=dict)
    #: Zips of layers by the version's ARN, kept for functions that use a deleted version.
    layer_archives: dict[str, str] = field(default_factory=dict)
    layer_sizes: dict[str, int] = field(default_factory=dict)

    def region(self, name: str) -> FunctionRegion:
        return self.regions.setdefault(name, FunctionRegion())
