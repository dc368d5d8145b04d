"""How soon a role acts, and on which resource DeleteFunction is checked: by a function's own calls."""

import io
import json
import time
import zipfile
from collections.abc import Callable
from typing import Any

import botocore.exceptions

from serinus.cli.account_check.observation import clock_text, durations_text, seconds_text
from serinus.cli.account_check.session import TAG, CheckSession

#: Calls one operation and returns the error's code, if any.
_CODE = """
import boto3

def handler(event, context):
    client = boto3.client(event["service"])
    try:
        getattr(client, event["operation"])(**event["parameters"])
    except Exception as error:
        code = getattr(error, "response", {}).get("Error", {}).get("Code", type(error).__name__)
        return {"error": code, "message": str(error)}
    return {"error": None, "message": ""}
"""
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
_POLICY = "calls"
_RUNTIME = "python3.13"
#: Cloud seconds for a change of a policy to act.
_PROPAGATION_TIMEOUT_S = 300.0
_RESOLUTION_S = 1.0
#: Cloud seconds for which a refusal must last, once the rest of its policy acts.
_REFUSED_FOR_S = 30.0
_DENIED = ("AccessDenied", "AccessDeniedException")


class CallingFunction:
    """A function that calls what it is told, under a role of its own."""

    def __init__(self, session: CheckSession) -> None:
        self._session = session
        self.name = f"{session.run}-caller"
        self._arn = session.function_arn(self.name)

    def create(self) -> None:
        session, functions = self._session, self._session.client("lambda")
        tags = [{"Key": TAG, "Value": session.run}]
        session.inventory.creating("role", self.name)
        role = session.client("iam").create_role(
            RoleName=self.name, AssumeRolePolicyDocument=json.dumps(_TRUST), Tags=tags
        )["Role"]["Arn"]
        session.inventory.creating("function", self.name)

        def created() -> bool:
            try:
                functions.create_function(
                    FunctionName=self.name,
                    Runtime=_RUNTIME,
                    Role=role,
                    Handler="index.handler",
                    Code={"ZipFile": _zip(_CODE)},
                    Timeout=30,
                    Tags={TAG: session.run},
                )
            except functions.exceptions.InvalidParameterValueException as error:
                if "cannot be assumed" in str(error):
                    return False
                raise
            return True

        session.waiting.required(created, _PROPAGATION_TIMEOUT_S, what="creating a function with a new role")
        active = lambda: functions.get_function_configuration(FunctionName=self.name)["State"] == "Active"  # noqa: E731
        session.waiting.required(active, 300.0, what="a new function")

    def allow(self, *delete_on: str) -> float:
        """Let the role read the function, and delete what ``delete_on`` names, and nothing else; returns when."""
        own = [self._arn, f"{self._arn}:*"]
        statements = [{"Effect": "Allow", "Action": "lambda:GetFunctionConfiguration", "Resource": own}]
        if delete_on:
            statements.append({"Effect": "Allow", "Action": "lambda:DeleteFunction", "Resource": list(delete_on)})
        return self._put(statements)

    def deny(self) -> float:
        """Replace the role's policy by one that allows neither; returns when."""
        return self._put([{"Effect": "Deny", "Action": "lambda:GetFunctionConfiguration", "Resource": "*"}])

    def _put(self, statements: list[dict[str, Any]]) -> float:
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        self._session.client("iam").put_role_policy(
            RoleName=self.name, PolicyName=_POLICY, PolicyDocument=document
        )
        return self._session.now()

    def reads(self) -> bool:
        """Whether its role may read the function."""
        return self.call("get_function_configuration", FunctionName=self.name)["error"] is None

    def call(self, operation: str, **parameters: str) -> dict[str, Any]:
        """Error code (None: it succeeded) and message of one call of Lambda."""
        event = {"service": "lambda", "operation": operation, "parameters": parameters}
        response = self._session.client("lambda").invoke(
            FunctionName=self.name, Payload=json.dumps(event).encode()
        )
        result: dict[str, Any] = json.loads(response["Payload"].read())
        if "FunctionError" in response:
            return {"error": "FunctionError", "message": str(result)}
        return result

    def delete(self) -> None:
        """Delete function, policy and role."""
        delete_calling_function(self._session, self.name)


def delete_calling_function(session: CheckSession, name: str) -> None:
    """Delete what `CallingFunction.create` may have made under ``name``."""
    functions, iam = session.client("lambda"), session.client("iam")
    deletions: list[Callable[[], object]] = [
        lambda: functions.delete_function(FunctionName=name),
        lambda: iam.delete_role_policy(RoleName=name, PolicyName=_POLICY),
        lambda: iam.delete_role(RoleName=name),
    ]
    for delete in deletions:
        try:
            delete()
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] not in ("ResourceNotFoundException", "NoSuchEntity"):
                raise


def observe_permissions(session: CheckSession) -> None:
    """Observe role-propagation and delete-function-resource."""
    caller = CallingFunction(session)
    try:
        caller.create()
    except botocore.exceptions.ClientError as error:
        reason = f"a role and a function could not be made: {error}"
        session.observe("role-propagation", None, reason)
        session.observe("delete-function-resource", None, reason)
        return
    _observe_propagation(session, caller)
    _observe_delete(session, caller)
    caller.delete()


def _observe_propagation(session: CheckSession, caller: CallingFunction) -> None:
    caller.reads()  # its first init must not count
    samples = []
    for change, awaited in ((caller.allow, True), (caller.deny, False)) * 2:
        changed_at = change()
        acts = lambda awaited=awaited: caller.reads() is awaited  # noqa: E731
        if session.waiting.until(acts, _PROPAGATION_TIMEOUT_S, every_s=0.5, what="a policy's change") is None:
            session.observe("role-propagation", None, "a changed policy did not act within five minutes")
            return
        samples.append(session.now() - changed_at)
    session.observe(
        "role-propagation",
        seconds_text(samples, _RESOLUTION_S),
        f"{len(samples)} changes of a role's policy acted on a function's calls after {durations_text(samples)}",
    )


def _observe_delete(session: CheckSession, caller: CallingFunction) -> None:
    version = session.client("lambda").publish_version(FunctionName=caller.name)["Version"]
    arn = session.function_arn(caller.name)
    caller.allow(f"{arn}:*")
    if session.waiting.until(caller.reads, _PROPAGATION_TIMEOUT_S, every_s=0.5, what="a policy's change") is None:
        session.observe("delete-function-resource", None, "the role's policy did not act within five minutes")
        return
    message = ""

    def deleted() -> bool:
        nonlocal message
        result = caller.call("delete_function", FunctionName=caller.name, Qualifier=version)
        message = result["message"]
        return result["error"] not in _DENIED

    allowed_on = f"with DeleteFunction allowed on {caller.name}:* alone, deleting version {version}"
    if session.waiting.until(deleted, _REFUSED_FOR_S, every_s=5.0, what="deleting a version") is not None:
        error = f": {message}" if message else ""
        if message:
            session.observe("delete-function-resource", None, f"{allowed_on} failed{error}")
        else:
            session.observe("delete-function-resource", "version", f"{allowed_on} was allowed")
        return
    refused = message
    caller.allow(arn)
    session.waiting.until(deleted, _PROPAGATION_TIMEOUT_S, every_s=1.0, what="deleting a version")
    if message:
        session.observe("delete-function-resource", None, f"{allowed_on} was refused, and also on the function")
    else:
        session.observe(
            "delete-function-resource",
            "function",
            f"{allowed_on} was refused; allowed on {caller.name}, it succeeded at {clock_text(session.now())}",
            refused,
        )


def _zip(code: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        entry = zipfile.ZipInfo("index.py", time.gmtime(315532800)[:6])
        entry.external_attr = 0o644 << 16
        archive.writestr(entry, code)
    return content.getvalue()
