"""`serinus build`: layers for the target platform; cdk.json names it as the build step of every deploy."""

import os
from typing import Annotated

import typer

from serinus.cli.console import megabytes, notice, print_json, results, table
from serinus.cli.layer_twins import own_api_at, register_twins
from serinus.cli.offline_process import VARIABLE_LOCAL_URL
from serinus.cli.progress import StageProgress
from serinus.cli.project import find_project
from serinus.cli.target import AsJson


def build(
    env: Annotated[
        str | None,
        typer.Option(
            "--env", metavar="NAME", help="Environment in serinus.toml. Default: all environments in serinus.lock."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Build the Lambda layers that this project's endpoints need, for Lambda's platform, without Docker.

    `serinus deploy` and the CDK CLI run this as their build step; layers that exist are reused.

    Example: [bold]serinus build --env prod[/]
    """
    from serinus.infra.release import describe_left_out
    from serinus.infra.synth import required_layers
    from serinus.lambda_handlers.contract.build import BUILD_DIR
    from serinus.modelpack import layers

    project = find_project()
    requirements = required_layers(project, env)
    if requirements.left_out:
        notice(describe_left_out(env or "", requirements.left_out))
    with StageProgress() as progress:
        manifest = layers.build(project, requirements.targets, requirements.bundles, progress)
    if local := os.environ.get(VARIABLE_LOCAL_URL):
        register_twins(own_api_at(local), project / BUILD_DIR, manifest)
    if as_json:
        print_json(manifest.to_json())
        return
    shown = table("layer", ">zipped", ">unzipped", "bytecode")
    for name, layer in manifest.runtime.items():
        shown.add_row(
            name, megabytes(layer.zipped_bytes), megabytes(layer.unzipped_bytes), "yes" if layer.bytecode else "no"
        )
    for name, layer in manifest.models.items():
        shown.add_row(f"model {name[:12]}", megabytes(layer.zipped_bytes), megabytes(layer.unzipped_bytes), "")
    results.print(shown)
