"""The output of `serinus build` for synth: .serinus/build/manifest.json and the zips it names.

Synth only reads this manifest and checks the hashes; it uses no package index.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from serinus import lambda_handlers
from serinus.lambda_handlers.contract.errors import ContractError

BUILD_DIR = ".serinus/build"
BUILD_MANIFEST = "manifest.json"
#: Below the build folder, by runtime ("python3.13"): the functions' own code with bytecode of that version.
CODE_DIR = "code"
#: Lambda's limit for a function's code and all its layers together.
#: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
LARGEST_UNZIPPED_BYTES = 250 * 1024 * 1024
#: Handler code beside the layers; it is some hundred kilobytes.
FUNCTION_CODE_BYTES = 1024 * 1024


def function_sources() -> tuple[Path, list[Path]]:
    """The installed code of the functions: its root folder, and the files relative to it."""
    package = Path(str(lambda_handlers.__file__)).parent
    root = package.parents[1]
    files = [path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return root, [
        package.parent.relative_to(root) / "__init__.py",
        *sorted(path.relative_to(root) for path in files),
    ]


@dataclass(frozen=True, slots=True)
class BuiltLayer:
    """One layer zip. ``path`` is relative to the build folder; ``sha256`` is the zip's; sizes in bytes.

    ``twin`` is the zip of the same lock for the building machine's platform and Python, for rehearsals; None if
    the zip itself holds no native code. ``bytecode``: exact-version .pyc files are inside.
    """

    path: str
    sha256: str
    zipped_bytes: int
    unzipped_bytes: int
    bytecode: bool = False
    twin: str | None = None


@dataclass(frozen=True, slots=True)
class BuildManifest:
    """``runtime`` layers by "python3.13-arm64"; ``models`` layers by bundle version (64 hex digits)."""

    runtime: dict[str, BuiltLayer]
    models: dict[str, BuiltLayer]

    def to_json(self) -> dict[str, dict[str, dict[str, object]]]:
        return {
            "runtime": {key: asdict(layer) for key, layer in sorted(self.runtime.items())},
            "models": {key: asdict(layer) for key, layer in sorted(self.models.items())},
        }


def runtime_key(runtime: str, architecture: str) -> str:
    """The key of a runtime layer: "python3.13", "arm64" -> "python3.13-arm64"."""
    return f"{runtime}-{architecture}"


def read_build(folder: Path) -> BuildManifest:
    """The manifest in build folder ``folder``; raises `ContractError` if it is missing or damaged."""
    path = folder / BUILD_MANIFEST
    try:
        data = json.loads(path.read_bytes())
        return BuildManifest(
            runtime={key: BuiltLayer(**item) for key, item in data["runtime"].items()},
            models={key: BuiltLayer(**item) for key, item in data["models"].items()},
        )
    except FileNotFoundError as error:
        raise ContractError(f"nothing was built yet: {path} is missing. Run `serinus build`.") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ContractError(f"{path} is damaged ({error}). Run `serinus build` again.") from error
