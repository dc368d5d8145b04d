"""Aliases: names for versions, and the weights by which two versions share an alias's traffic.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/configuration-aliases.html,
https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html
"""

from typing import Any

from serinus.offline.core.errors import AwsError
from serinus.offline.core.readings import WEIGHTS_WITH_PROVISIONED
from serinus.offline.core.service import Call
from serinus.offline.services.lambda_.base import LambdaBase, conflict, invalid, new_revision
from serinus.offline.services.lambda_.names import target_of
from serinus.offline.services.lambda_.paging import page
from serinus.offline.services.lambda_.provisioned import ProvisionedOperations
from serinus.offline.services.lambda_.shapes import alias_shape
from serinus.offline.services.lambda_.state import LATEST, Alias, Function


class AliasOperations(ProvisionedOperations, LambdaBase):
    """CreateAlias, GetAlias, UpdateAlias, DeleteAlias, ListAliases; and the port by which CodeDeploy shifts."""

    async def create_alias(self, call: Call) -> dict[str, Any]:
        params = call.params
        function = self.function(call.region, target_of(params["FunctionName"]).name)
        name = params["Name"]
        if name in function.aliases:
            raise conflict(f"Alias already exists: {function.arn}:{name}")
        additional = _weights(params) or {}
        self._require_routable(function, params["FunctionVersion"], additional)
        description = params.get("Description") or ""
        alias = Alias(name, params["FunctionVersion"], new_revision(), description, additional)
        function.aliases[name] = alias
        return alias_shape(function, alias)

    async def get_alias(self, call: Call) -> dict[str, Any]:
        function = self.function(call.region, target_of(call.params["FunctionName"]).name)
        return alias_shape(function, self.alias_of(function, call.params["Name"]))

    async def update_alias(self, call: Call) -> dict[str, Any]:
        params = call.params
        function = self.function(call.region, target_of(params["FunctionName"]).name)
        alias = self.alias_of(function, params["Name"])
        self.require_revision(params.get("RevisionId"), alias.revision_id)
        weights = _weights(params)
        self._point(
            function,
            alias,
            params.get("FunctionVersion") or alias.version,
            alias.additional if weights is None else weights,
        )
        if params.get("Description") is not None:
            alias.description = params["Description"]
        return alias_shape(function, alias)

    async def delete_alias(self, call: Call) -> dict[str, Any]:
        function = self.function(call.region, target_of(call.params["FunctionName"]).name)
        name = call.params["Name"]
        self.drop_provisioned(function, name)
        for settings in (function.aliases, function.policies, function.event_invoke):
            settings.pop(name, None)
        return {}

    async def list_aliases(self, call: Call) -> dict[str, Any]:
        function = self.function(call.region, target_of(call.params["FunctionName"]).name)
        new_version = call.params.get("FunctionVersion")
        aliases = [
            alias_shape(function, alias)
            for alias in function.aliases.values()
            if new_version is None or new_version in (alias.version, *alias.additional)
        ]
        shown, more = page(aliases, call)
        return {"Aliases": list(shown), **more}

    def alias(self, region: str, function: str, name: str) -> Alias:
        """The alias; raises ResourceNotFoundException. Read-only: change it through the API."""
        return self.alias_of(self.function(region, target_of(function).name), name)

    async def set_alias_weights(
        self, region: str, function: str, alias: str, *, version: str, additional: dict[str, float]
    ) -> None:
        """Point ``alias`` to ``version``, with ``additional`` versions by their share in [0, 1].

        For CodeDeploy's shifts; UpdateAlias's rules and errors apply.
        """
        owner = self.function(region, target_of(function).name)
        self._point(owner, self.alias_of(owner, alias), version, additional)

    def _point(self, function: Function, alias: Alias, version: str, additional: dict[str, float]) -> None:
        self._require_routable(function, version, additional)
        accepts = self.context.config.readings.alias_with_provisioned == "accepted"
        if additional and alias.name in function.provisioned and not accepts:
            raise invalid(WEIGHTS_WITH_PROVISIONED)
        alias.version, alias.additional, alias.revision_id = version, dict(additional), new_revision()
        self.follow_alias(function, alias)

    def _require_routable(self, function: Function, version: str, additional: dict[str, float]) -> None:
        primary = self.published_or_latest(function, version)
        if not additional:
            return
        if len(additional) > 1:
            raise invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
        (number, weight) = next(iter(additional.items()))
        if LATEST in (version, number):
            raise invalid("$LATEST is not supported for an alias pointing to more than 1 version")
        if number == version:
            raise invalid(
                f"Invalid function version {number}. Function version {number} is already included in routing "
                "configuration."
            )
        if not 0.0 <= weight <= 1.0:
            raise _weight_out_of_range(number, weight)
        second = self.published_or_latest(function, number)
        for setting, words in (
            ("Role", "execution role"),
            ("DeadLetterConfig", "dead-letter queue configuration"),
        ):
            if primary.configuration[setting] != second.configuration[setting]:
                raise invalid(
                    f"Function versions {version} and {number} must have the same {words} to share an alias"
                )


def _weights(params: dict[str, Any]) -> dict[str, float] | None:
    """The weights that a request sets: None leaves them unchanged, empty clears them."""
    routing = params.get("RoutingConfig")
    if routing is None:
        return None
    weights = routing.get("AdditionalVersionWeights") or {}
    return {version: float(weight) for version, weight in weights.items()}


def _weight_out_of_range(version: str, weight: float) -> AwsError:
    return AwsError(
        "ValidationException",
        f"1 validation error detected: Value '{{{version}={weight}}}' at 'routingConfig.additionalVersionWeights' "
        "failed to satisfy constraint: Map value must satisfy constraint: [Member must have value less than or "
        "equal to 1.0, Member must have value greater than or equal to 0.0]",
        status=400,
    )
