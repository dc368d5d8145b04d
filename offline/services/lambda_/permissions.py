"""Resource policies of functions and layers.

Source: https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
"""

import fnmatch
import json
from typing import Any

from serinus.offline.core.service import Call
from serinus.offline.services.lambda_.base import LambdaBase, conflict, new_revision, not_found
from serinus.offline.services.lambda_.names import target_of
from serinus.offline.services.lambda_.state import LayerVersion, Policy

INVOKE_ACTIONS = ("lambda:InvokeFunction", "lambda:*", "*")


class PermissionOperations(LambdaBase):
    """AddPermission, RemovePermission, GetPolicy, and the same for layer versions."""

    async def add_permission(self, call: Call) -> dict[str, Any]:
        target = self.target(call)
        function = self.function(call.region, target.name)
        qualifier = self.require_qualifier(function, target.qualifier)
        policy = function.policies.get(qualifier)
        self.require_revision(call.params.get("RevisionId"), policy.revision_id if policy else "")
        resource = f"{function.arn}:{qualifier}" if qualifier else function.arn
        policy = _extended(policy, call.params["StatementId"], statement(call.params, resource))
        function.policies[qualifier] = policy
        return {"Statement": json.dumps(policy.statements[call.params["StatementId"]])}

    async def remove_permission(self, call: Call) -> dict[str, Any]:
        target = self.target(call)
        function = self.function(call.region, target.name)
        qualifier = self.require_qualifier(function, target.qualifier)
        policy = function.policies.get(qualifier)
        sid = call.params["StatementId"]
        if policy is None or sid not in policy.statements:
            raise not_found(f"Statement {sid} is not found in resource policy.")
        self.require_revision(call.params.get("RevisionId"), policy.revision_id)
        _shrink(policy, sid)
        if not policy.statements:
            del function.policies[qualifier]
        return {}

    async def get_policy(self, call: Call) -> dict[str, Any]:
        target = self.target(call)
        function = self.function(call.region, target.name)
        policy = function.policies.get(self.require_qualifier(function, target.qualifier))
        if policy is None:
            raise not_found("The resource you requested does not exist.")
        return _policy_shape(policy)

    async def add_layer_version_permission(self, call: Call) -> dict[str, Any]:
        version = self._layer(call)
        added = {
            "Sid": call.params["StatementId"],
            "Effect": "Allow",
            "Principal": call.params["Principal"],
            "Action": call.params["Action"],
            "Resource": version.arn,
        }
        version.policy = _extended(version.policy, call.params["StatementId"], added)
        return {"Statement": json.dumps(added), "RevisionId": version.policy.revision_id}

    async def remove_layer_version_permission(self, call: Call) -> dict[str, Any]:
        version = self._layer(call)
        sid = call.params["StatementId"]
        if version.policy is None or sid not in version.policy.statements:
            raise not_found(f"Statement {sid} is not found in resource policy.")
        _shrink(version.policy, sid)
        return {}

    async def get_layer_version_policy(self, call: Call) -> dict[str, Any]:
        version = self._layer(call)
        if version.policy is None or not version.policy.statements:
            raise not_found("No policy is associated with the given resource.")
        return _policy_shape(version.policy)

    def allows(
        self, region: str, function: str, qualifier: str | None, *, principal: str, source_arn: str
    ) -> bool:
        """Whether the resource policy lets the service ``principal`` invoke on behalf of ``source_arn``."""
        owner = self.function(region, target_of(function).name)
        policy = owner.policies.get(qualifier or "")
        if policy is None:
            return False
        return any(_permits(each, principal, source_arn, self.account_id) for each in policy.statements.values())

    def _layer(self, call: Call) -> LayerVersion:
        name = call.params["LayerName"].split(":layer:")[-1]
        layer = self.state.region(call.region).layers.get(name)
        version = layer.versions.get(int(call.params["VersionNumber"])) if layer else None
        if version is None:
            raise not_found("The resource you requested does not exist.")
        return version


def statement(params: dict[str, Any], resource: str) -> dict[str, Any]:
    """The policy statement of AddPermission's parameters."""
    built: dict[str, Any] = {
        "Sid": params["StatementId"],
        "Effect": "Allow",
        "Principal": _principal(params["Principal"]),
        "Action": params["Action"],
        "Resource": resource,
    }
    equals = {
        condition: params[name]
        for name, condition in (
            ("SourceAccount", "AWS:SourceAccount"),
            ("PrincipalOrgID", "aws:PrincipalOrgID"),
            ("EventSourceToken", "lambda:EventSourceToken"),
            ("FunctionUrlAuthType", "lambda:FunctionUrlAuthType"),
        )
        if params.get(name)
    }
    conditions: dict[str, Any] = {"StringEquals": equals} if equals else {}
    if params.get("SourceArn"):
        conditions["ArnLike"] = {"AWS:SourceArn": params["SourceArn"]}
    return {**built, "Condition": conditions} if conditions else built


def _principal(text: str) -> Any:
    if text == "*":
        return "*"
    if text.endswith((".amazonaws.com", ".amazon.com")):
        return {"Service": text}
    return {"AWS": f"arn:aws:iam::{text}:root" if text.isdecimal() else text}


def _permits(each: dict[str, Any], principal: str, source_arn: str, account_id: str) -> bool:
    if each["Principal"] not in ("*", {"Service": principal}) or each["Action"] not in INVOKE_ACTIONS:
        return False
    conditions = each.get("Condition", {})
    pattern = conditions.get("ArnLike", {}).get("AWS:SourceArn", "*")
    account = conditions.get("StringEquals", {}).get("AWS:SourceAccount", account_id)
    return account == account_id and fnmatch.fnmatchcase(source_arn, pattern)


def _extended(policy: Policy | None, sid: str, added: dict[str, Any]) -> Policy:
    policy = policy or Policy(new_revision())
    if sid in policy.statements:
        raise conflict(
            f"The statement id ({sid}) provided already exists. Please provide a new statement id, or remove the "
            "existing statement."
        )
    policy.statements[sid] = added
    policy.revision_id = new_revision()
    return policy


def _shrink(policy: Policy, sid: str) -> None:
    del policy.statements[sid]
    policy.revision_id = new_revision()


def _policy_shape(policy: Policy) -> dict[str, Any]:
    document = {"Version": "2012-10-17", "Id": "default", "Statement": list(policy.statements.values())}
    return {"Policy": json.dumps(document), "RevisionId": policy.revision_id}
