"""Layer twins: zips for this machine, which the offline cloud runs in place of layers for Lambda's platform."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from serinus.cli.console import notice
from serinus.cli.errors import CliError

if TYPE_CHECKING:
    from serinus.lambda_handlers.contract.build import BuildManifest
    from serinus.offline.client.own_api import OwnApi


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
