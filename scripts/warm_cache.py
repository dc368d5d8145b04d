"""Resolves the runtime layers that tests deploy, and the environment of the older models that they package, into
the user's cache, so that no test reaches a package index."""

import sys
import tempfile
from pathlib import Path

from serinus.modelpack.isolation.environment import ensure_environment
from serinus.modelpack.isolation.environment_spec import EnvironmentSpec, requirements_for
from serinus.modelpack.isolation.saved_versions import SavedVersions
from serinus.modelpack.layers import build

TARGETS = [("python3.13", "x86_64"), ("python3.13", "arm64")]
#: As tests/modelpack/isolation saves a model.
OLDER = SavedVersions({"scikit-learn": "1.5.2"}, numpy_2=True)


class OneLine:
    """Says on stderr what takes long."""

    def stage(self, name: str) -> None:
        """Stages are too small to tell of."""

    def notice(self, message: str) -> None:
        sys.stderr.write(f"{message}\n")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder), TARGETS, [], OneLine())
    ensure_environment(EnvironmentSpec(requirements_for(OLDER), "for the tests"), OneLine())
