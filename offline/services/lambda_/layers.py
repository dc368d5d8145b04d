"""Layers and their versions.

Source: https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html
"""

import asyncio
from typing import Any

from serinus.offline.core.service import Call
from serinus.offline.services.lambda_.archives import hex_to_aws
from serinus.offline.services.lambda_.base import LambdaBase, not_found
from serinus.offline.services.lambda_.names import LAYER_VERSION, layer_arn
from serinus.offline.services.lambda_.paging import page
from serinus.offline.services.lambda_.shapes import layer_version_shape
from serinus.offline.services.lambda_.state import Layer, LayerVersion


class LayerOperations(LambdaBase):
    """PublishLayerVersion, GetLayerVersion(ByArn), DeleteLayerVersion, ListLayers, ListLayerVersions."""

    async def publish_layer_version(self, call: Call) -> dict[str, Any]:
        params = call.params
        package = await asyncio.to_thread(self.archives.accept, params["Content"], call.region)
        name = _layer_name(params["LayerName"])
        layers = self.state.region(call.region).layers
        layer = layers.setdefault(name, Layer(name, layer_arn(call.region, self.account_id, name)))
        number = layer.next_version
        layer.next_version += 1
        version = LayerVersion(
            arn=f"{layer.arn}:{number}",
            version=number,
            code_sha256=package.sha256,
            code_size_bytes=package.size_bytes,
            unzipped_bytes=package.unzipped_bytes,
            created=self.context.clock.time(),
            description=params.get("Description") or "",
            license_info=params.get("LicenseInfo") or "",
            runtimes=list(params.get("CompatibleRuntimes") or []),
            architectures=list(params.get("CompatibleArchitectures") or []),
        )
        layer.versions[number] = version
        self.state.layer_archives[version.arn] = package.sha256
        self.state.layer_sizes[version.arn] = package.size_bytes
        return self._content_shape(layer, version)

    async def get_layer_version(self, call: Call) -> dict[str, Any]:
        layer, version = self._layer_version(call.region, call.params["LayerName"], call.params["VersionNumber"])
        return self._content_shape(layer, version)

    async def get_layer_version_by_arn(self, call: Call) -> dict[str, Any]:
        match = LAYER_VERSION.match(call.params["Arn"])
        if match is None:
            raise not_found("The resource you requested does not exist.")
        return self._content_shape(*self._layer_version(match["region"], match["name"], int(match["version"])))

    async def delete_layer_version(self, call: Call) -> dict[str, Any]:
        layers = self.state.region(call.region).layers
        layer = layers.get(_layer_name(call.params["LayerName"]))
        if layer is not None:
            layer.versions.pop(int(call.params["VersionNumber"]), None)
        return {}

    async def list_layers(self, call: Call) -> dict[str, Any]:
        shapes = []
        for layer in self.state.region(call.region).layers.values():
            matching = [version for version in layer.versions.values() if _compatible(version, call.params)]
            if matching:
                latest = layer_version_shape(matching[-1])
                shapes.append({"LayerName": layer.name, "LayerArn": layer.arn, "LatestMatchingVersion": latest})
        shown, more = page(shapes, call)
        return {"Layers": list(shown), **more}

    async def list_layer_versions(self, call: Call) -> dict[str, Any]:
        layer = self.state.region(call.region).layers.get(_layer_name(call.params["LayerName"]))
        versions = reversed(layer.versions.values()) if layer else ()
        shapes = [layer_version_shape(version) for version in versions if _compatible(version, call.params)]
        shown, more = page(shapes, call)
        return {"LayerVersions": list(shown), **more}

    def _layer_version(self, region: str, name: str, number: int) -> tuple[Layer, LayerVersion]:
        layer = self.state.region(region).layers.get(_layer_name(name))
        version = layer.versions.get(int(number)) if layer else None
        if layer is None or version is None:
            raise not_found("The resource you requested does not exist.")
        return layer, version

    def _content_shape(self, layer: Layer, version: LayerVersion) -> dict[str, Any]:
        content = {
            "Location": self.archives.url(version.code_sha256),
            "CodeSha256": hex_to_aws(version.code_sha256),
            "CodeSize": version.code_size_bytes,
        }
        return {**layer_version_shape(version), "LayerArn": layer.arn, "Content": content}


def _layer_name(identifier: str) -> str:
    return identifier.split(":layer:")[-1].split(":")[0]


def _compatible(version: LayerVersion, params: dict[str, Any]) -> bool:
    runtime, architecture = params.get("CompatibleRuntime"), params.get("CompatibleArchitecture")
    runtime_fits = not runtime or runtime in version.runtimes
    return runtime_fits and (not architecture or architecture in version.architectures)
