"""What CodeDeploy needs of the Lambda service."""

from typing import Any, Protocol


class AliasView(Protocol):
    """An alias: the version it names, and the shares of traffic that other versions get."""

    version: str
    additional: dict[str, float]


class LambdaSeam(Protocol):
    """The Lambda service of the cloud, as `cloud.services["lambda"]` offers it; raises `AwsError`."""

    def alias(self, region: str, function: str, name: str) -> AliasView: ...

    async def set_alias_weights(
        self, region: str, function: str, alias: str, *, version: str, additional: dict[str, float]
    ) -> None: ...

    async def invoke(
        self,
        function: str,
        qualifier: str | None,
        payload: bytes,
        *,
        region: str,
        invocation_type: Any = ...,
    ) -> Any: ...
