"""Runs Lambda authorizers: invokes the function, caches its policy, checks the request against it.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
"""

import json
import re
from dataclasses import dataclass
from typing import Any

import msgspec

from serinus.offline.core.errors import AwsError
from serinus.offline.core.ports import FunctionInvoker
from serinus.offline.http.errors import (
    authorizer_failed,
    authorizer_misconfigured,
    denied_by_authorizer,
    unauthorized,
)
from serinus.offline.http.lambda_uri import target_of
from serinus.offline.services.apigateway.serving.authorizer_event import authorizer_event, method_arn
from serinus.offline.services.apigateway.serving.exchange import RestExchange
from serinus.offline.services.apigateway.serving.parameters import mapped_value

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class AuthorizerVerdict:
    """The function's result for an identity; valid until ``expires`` in cloud time."""

    principal_id: str
    statements: list[Document]
    context: dict[str, str]
    expires: float


class LambdaAuthorizer:
    """One authorizer of a stage; verdicts are cached by the identity's values."""

    def __init__(self, document: Document, variables: dict[str, str], functions: FunctionInvoker) -> None:
        self._document = document
        self._functions = functions
        self._target = target_of(document["authorizerUri"], variables)
        sources = (document.get("identitySource") or "").split(",")
        self._sources = [source.strip() for source in sources if source.strip()]
        self._verdicts: dict[tuple[str, ...], AuthorizerVerdict] = {}

    async def authorize(self, exchange: RestExchange) -> None:
        """Record the function's context in ``exchange``, or raise `GatewayError` (401, 403, 500)."""
        identity = self._identity(exchange)
        verdict = self._verdicts.get(identity)
        if verdict is None or verdict.expires <= exchange.cloud_time:
            verdict = await self._ask(exchange, identity)
            if identity and self._document["authorizerResultTtlInSeconds"]:
                self._verdicts[identity] = verdict
        effects = matching_effects(verdict.statements, method_arn(exchange))
        if "Deny" in effects:
            raise denied_by_authorizer(explicitly=True)
        if "Allow" not in effects:
            raise denied_by_authorizer(explicitly=False)
        exchange.authorizer = {**verdict.context, "principalId": verdict.principal_id}

    def _identity(self, exchange: RestExchange) -> tuple[str, ...]:
        values = [mapped_value(source, exchange) for source in self._sources]
        if not all(values):
            raise unauthorized()
        expression = self._document.get("identityValidationExpression")
        if expression and self._document["type"] == "TOKEN" and not re.fullmatch(expression, values[0] or ""):
            raise unauthorized()
        return tuple(value or "" for value in values)

    async def _ask(self, exchange: RestExchange, identity: tuple[str, ...]) -> AuthorizerVerdict:
        target, stage = self._target, exchange.stage
        if target is None:
            raise authorizer_misconfigured()
        token = identity[0] if self._document["type"] == "TOKEN" else None
        payload = msgspec.json.encode(authorizer_event(exchange, token))
        arn = (
            f"arn:aws:execute-api:{stage.region}:{stage.account_id}:{stage.api_id}"
            f"/authorizers/{self._document['id']}"
        )
        try:
            if not self._document.get("authorizerCredentials") and not self._functions.allows(
                target.region,
                target.name,
                target.qualifier,
                principal="apigateway.amazonaws.com",
                source_arn=arn,
            ):
                raise authorizer_misconfigured()
            result = await self._functions.invoke(target.name, target.qualifier, payload, region=target.region)
        except AwsError as error:
            exchange.integration_error = f"Authorizer failed: {error.message}"
            raise authorizer_failed() from error
        if result.function_error is not None:
            raise function_failure(result.payload)
        return self._verdict(exchange, result.payload)

    def _verdict(self, exchange: RestExchange, payload: bytes) -> AuthorizerVerdict:
        try:
            answer = json.loads(payload)
            statements = answer["policyDocument"]["Statement"]
            principal = str(answer["principalId"])
            context = {name: context_text(value) for name, value in (answer.get("context") or {}).items()}
        except (ValueError, KeyError, TypeError) as error:
            exchange.integration_error = f"Authorizer returned {payload.decode('utf-8', errors='replace')}"
            raise authorizer_misconfigured() from error
        expires = exchange.cloud_time + self._document["authorizerResultTtlInSeconds"]
        listed = statements if isinstance(statements, list) else [statements]
        return AuthorizerVerdict(principal, listed, context, expires)


def function_failure(payload: bytes) -> Exception:
    """401 if the function raised "Unauthorized", as on AWS; any other error is a 500."""
    try:
        message = json.loads(payload).get("errorMessage")
    except ValueError:
        message = None
    return unauthorized() if message == "Unauthorized" else authorizer_failed()


def context_text(value: Any) -> str:
    """A context value as text; raises TypeError for objects and arrays, which AWS rejects."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        raise TypeError(f"an authorizer's context must hold text, numbers and booleans only (got {value!r})")
    return str(value)


def matching_effects(statements: list[Document], resource: str) -> set[str]:
    return {
        str(statement.get("Effect"))
        for statement in statements
        if covers(statement.get("Action"), "execute-api:Invoke", ignore_case=True)
        and covers(statement.get("Resource"), resource, ignore_case=False)
    }


def covers(patterns: Any, value: str, *, ignore_case: bool) -> bool:
    """Whether one of a policy's patterns ("*" and "?" are wildcards) matches."""
    flags = re.IGNORECASE if ignore_case else 0
    for pattern in patterns if isinstance(patterns, list) else [patterns or ""]:
        expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
        if re.fullmatch(expression, value, flags):
            return True
    return False
