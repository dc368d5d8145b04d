"""The configuration of a cloud."""

from dataclasses import dataclass, field
from pathlib import Path

from serinus.offline.core.readings import Readings
from serinus.offline.core.root_key import RootKey

DEFAULT_PORT = 4577
DEFAULT_ACCOUNT_ID = "123456789012"
DEFAULT_REGION = "us-east-1"
#: Standard input of a cloud that stays when what started it has ended.
STAY = b"stay\n"


@dataclass(frozen=True, slots=True)
class CloudConfig:
    """Where the cloud listens and how it behaves. Frozen: a running cloud changes only through its API."""

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    account_id: str = DEFAULT_ACCOUNT_ID
    region: str = DEFAULT_REGION
    #: The owner's access key, with which the account's root signs calls.
    root_key: RootKey = field(default_factory=RootKey.new)
    #: Cloud seconds per real second; 1 is real time, 0 stands still until stepped.
    clock_factor: float = 1.0
    #: What is played where AWS's behaviour is in doubt.
    readings: Readings = field(default_factory=Readings)
    #: Seeds alias weights and injected faults; None for a different sequence each time.
    seed: int | None = None
    #: Concurrent executions of the account, shared by functions without reserved concurrency.
    account_concurrency: int = 1000
    #: Maximum number of live worker processes; this machine's limit, not AWS's.
    max_workers: int = 16
    #: Keeps state across restarts; None keeps it in memory only.
    state_dir: Path | None = None
    #: Where workers unpack code and layers and keep their /tmp; created by the cloud if None.
    work_dir: Path | None = None
    #: Python interpreters for functions, by runtime ("python3.13"); all others use the running one.
    interpreters: dict[str, Path] = field(default_factory=dict)

    @property
    def endpoint_url(self) -> str:
        return f"http://{self.host}:{self.port}"
