"""`serinus eject`: leaves an environment's stacks as a plain CDK app."""

import json
import os
import shutil
from pathlib import Path
from typing import Annotated

import typer

from serinus.cli.console import notice, results
from serinus.cli.errors import WrongUsage
from serinus.cli.project import find_project
from serinus.cli.target import PackEnvironment
from serinus.infra.names import DEFAULT_ENVIRONMENT

#: What the CDK CLI passes to an app: paths of constructs in the templates, on which names of resources depend.
CONTEXT_OF_CLI = {"aws:cdk:enable-path-metadata": True, "aws:cdk:enable-asset-metadata": True}


def eject(
    folder: Annotated[Path, typer.Argument(help="A new folder for the app.")],
    env: PackEnvironment = DEFAULT_ENVIRONMENT,
) -> None:
    """Write the stacks of an environment as a plain CDK app, to go on without Serinus.

    The app holds the templates, the functions' sources and the layers, and synthesizes the same stacks with
    aws-cdk-lib alone. The project stays as it is.

    Example: [bold]serinus eject ../churn-cdk --env prod[/]
    """
    from serinus.cli.templates import read_template
    from serinus.infra.eject import write_app
    from serinus.infra.settings import load_settings
    from serinus.infra.synth import CDK_CONTEXT, synthesize
    from serinus.modelpack.atomic import folder_beside
    from serinus.modelpack.temporary_folder import TemporaryFolder

    project = find_project()
    if folder.exists():
        raise WrongUsage(f"{folder} exists. Name a new folder for the app.")
    name = load_settings(project / "serinus.toml", env).project
    with TemporaryFolder("-eject") as temporary, folder_beside(folder.absolute()) as draft:
        os.environ[CDK_CONTEXT] = json.dumps(CONTEXT_OF_CLI)
        assembly = synthesize(project, env, temporary / "assembly")
        stacks = write_app(assembly, draft, project=name, environment=env)
        package = json.loads(read_template("package.json"))
        (draft / "package.json").write_text(json.dumps(package, indent=2) + "\n", encoding="utf-8")
        shutil.rmtree(assembly)
    results.print(f"wrote {', '.join(stacks)} into {folder}")
    notice(f"next: {folder}/README.md; `npx cdk diff` shows no difference from what is deployed")
