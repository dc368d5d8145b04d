"""Builds and synthesizes all releases of a rehearsal in one process: the CDK library takes longer to load than a
stack to synthesize, and layers are built once for all.

    python -m serinus.cli.rehearse.assemblies ENVIRONMENT PROJECT...
"""

import json
import os
import sys
from pathlib import Path

from serinus.infra.errors import InfraError
from serinus.lambda_handlers.contract.errors import ContractError
from serinus.modelpack.errors import ModelpackError

#: Where a project's assembly stands once it is whole.
ASSEMBLY = "assembly"


def command(environment: str, projects: list[Path]) -> list[str]:
    """The command line that creates the assemblies of ``projects``, in this order."""
    return [sys.executable, "-P", "-m", "serinus.cli.rehearse.assemblies", environment, *map(str, projects)]


def make(environment: str, projects: list[Path]) -> None:
    """Build what ``projects``, which share one build folder, need, and write each one's assembly."""
    from serinus.cli.progress import StageProgress
    from serinus.infra.synth import CDK_CONTEXT, required_layers, synthesize
    from serinus.modelpack import layers

    candidates = [required_layers(project, environment) for project in projects]
    targets = {target for needs in candidates for target in needs.targets}
    bundles = {bundle.resolve() for needs in candidates for bundle in needs.bundles}
    with StageProgress() as progress:
        layers.build(projects[0], sorted(targets), sorted(bundles), progress)
    for project in projects:
        os.environ[CDK_CONTEXT] = json.dumps(_context(project))
        synthesize(project, environment, project / f".{ASSEMBLY}").rename(project / ASSEMBLY)


def _context(project: Path) -> dict[str, object]:
    """The context of the project's cdk.json, which the CDK CLI would hand down."""
    path = project / "cdk.json"
    context: dict[str, object] = (
        json.loads(path.read_text(encoding="utf-8")).get("context", {}) if path.exists() else {}
    )
    return context


if __name__ == "__main__":
    try:
        make(sys.argv[1], [Path(project) for project in sys.argv[2:]])
    except (InfraError, ContractError, ModelpackError) as error:
        sys.exit(str(error))
