"""The platforms that layers are built for: Lambda's, and this machine's for rehearsals."""

import platform
import sys
from dataclasses import dataclass

from serinus.modelpack.errors import LayerError

#: Amazon Linux 2023, which Lambda's Python 3.12 and later run on, has glibc 2.34.
GLIBC = "manylinux_2_28"
_MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}
RUNTIMES = ("python3.12", "python3.13", "python3.14")


@dataclass(frozen=True, slots=True)
class Target:
    """A Python minor version ("3.13") on a platform as uv names it; ``platform`` None is this machine's own."""

    python: str
    platform: str | None

    @property
    def name(self) -> str:
        """For folders and files: "python3.13-x86_64"."""
        return f"python{self.python}-{self.machine}"

    @property
    def machine(self) -> str:
        """ "x86_64" or "arm64"; where it is this machine's own platform, with the system's name."""
        if self.platform is None:
            return f"{platform.system().lower()}-{platform.machine().lower()}"
        return {name: machine for machine, name in _MACHINES.items()}[self.platform.split("-")[0]]

    @property
    def runs_here(self) -> bool:
        """Whether an interpreter of this machine can import the layer's native code."""
        return self.platform is None or self.platform == _own_platform()


def lambda_target(runtime: str, architecture: str) -> Target:
    """ "python3.13", "arm64"; raises `LayerError` where Lambda does not offer them."""
    if runtime not in RUNTIMES or architecture not in _MACHINES:
        raise LayerError(
            f"no layer for runtime {runtime!r} on {architecture!r}: runtimes are {', '.join(RUNTIMES)}, "
            f"architectures {', '.join(_MACHINES)}. Change `runtime` or `architecture` in serinus.toml."
        )
    return Target(runtime.removeprefix("python"), f"{_MACHINES[architecture]}-{GLIBC}")


def twin_target() -> Target:
    """This machine's platform and Python, in Lambda's terms where they are the same."""
    return Target(f"{sys.version_info.major}.{sys.version_info.minor}", _own_platform())


def _own_platform() -> str | None:
    """uv's name of this machine's platform where Lambda's wheels run on it, else None."""
    if sys.platform != "linux" or sys.maxsize <= 2**32:
        return None
    library, version = platform.libc_ver()
    numbers = tuple(int(part) for part in version.split(".")[:2]) if library == "glibc" else (0, 0)
    machine = platform.machine()
    return f"{machine}-{GLIBC}" if numbers >= (2, 28) and machine in _MACHINES.values() else None
