"""`serinus build`: layers for the target platform; cdk.json names it as the build step of every deploy."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serinus.cli.console import megabytes, notice, print_json, results, table
from serinus.cli.errors import CliError
from serinus.cli.offline_process import VARIABLE_LOCAL_URL
from serinus.cli.progress import StageProgress
from serinus.cli.project import find_project
from serinus.cli.target import AsJson

if TYPE_CHECKING:
    from serinus.lambda_handlers.contract.build import BuildManifest
    from serinus.offline.client.own_api import OwnApi


def build(
    env: Annotated[
        str | None, typer.Option("--env", help="Environment in serinus.toml. Default: all that serinus.lock pins.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Build the Lambda layers that this project's endpoints need, for Lambda's platform, without Docker.

    `serinus deploy` and the CDK CLI run this as their build step; layers that exist are reused.

    Example: [bold]serinus build --env prod[/]
    """
    from serinus.infra.synth import required_layers
    from serinus.lambda_handlers.contract.build import BUILD_DIR
    from serinus.modelpack import layers

    project = find_project()
    requirements = required_layers(project, env)
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


def own_api_at(url: str) -> "OwnApi":
    """The offline cloud's own API at ``url``, with the key that the CDK CLI was started with."""
    from serinus.offline.client.own_api import OwnApi
    from serinus.offline.core.root_key import RootKey

    key = RootKey(os.environ.get("AWS_ACCESS_KEY_ID", ""), os.environ.get("AWS_SECRET_ACCESS_KEY", ""))
    return OwnApi(url, key)


def register_twins(api: "OwnApi", folder: Path, manifest: "BuildManifest") -> None:
    """Register the zips that the offline cloud runs in place of layers for another platform or Python."""
    import httpx

    for layer in manifest.runtime.values():
        if layer.twin is None or layer.twin == layer.path:
            continue
        path = folder / layer.twin
        try:
            answer = api.put(f"/layer-twins/{layer.sha256}", {"path": str(path)})
            if answer.status_code == httpx.codes.FORBIDDEN:
                raise CliError(
                    f"the offline cloud at {api.url} does not accept this shell's access key. Each start creates "
                    'a new one: run eval "$(serinus local env)" again.'
                )
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise CliError(
                f"the offline cloud at {api.url} did not accept the layer twin {path.name}: {error}"
            ) from error
        notice(f"the offline cloud runs {path.name} in place of {Path(layer.path).name}")
