"""`serinus key`: shows, rotates and revokes the API key of an endpoint."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from serinus.cli.console import notice, print_json, progress, results, table
from serinus.cli.errors import CliError
from serinus.cli.target import CloudPort, EndpointName, Environment, Local

if TYPE_CHECKING:
    from serinus.cli.api_keys import ApiKey, KeyRing


def key(
    endpoint: EndpointName,
    rotate: Annotated[bool, typer.Option("--rotate", help="Create a new key. The others stay valid.")] = False,
    revoke: Annotated[
        str | None,
        typer.Option("--revoke", metavar="ID", help="Revoke the key with this ID, at once. --json lists the IDs."),
    ] = None,
    env: Environment = None,
    local: Local = False,
    port: CloudPort = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all keys as JSON.")] = False,
) -> None:
    """Print the API key that callers send in the header x-api-key, create a new one, or revoke an old one.

    After --rotate both keys are valid, so that callers can change to the new one; then --revoke the old one.

    Example: [bold]serinus key churn --local --rotate[/]
    """
    from serinus.cli.api_keys import current_of

    if rotate and revoke:
        raise CliError(
            "--rotate and --revoke cannot be combined: callers need time between the two to change keys. Rotate "
            "first."
        )
    ring, stack, now = open_ring(endpoint, env, local, port)
    if rotate:
        created = ring.rotate(now)
        notice(f"created key {created.id}; it is valid at once, and the others stay valid until you --revoke them")
    if revoke:
        how = "deleted" if ring.revoke(revoke).origin == "rotation" else "disabled"
        notice(f"{revoke} is {how} and no longer valid")
    keys = ring.listed(usage_of=now)
    if as_json:
        print_json([api_key.to_json() for api_key in keys])
        return
    current = current_of(keys, stack)
    results.print(current.value, markup=False)
    if len(keys) > 1 or rotate or revoke:
        _print_keys(keys, current)


def open_ring(endpoint: str, env: str | None, local: bool, port: int | None) -> "tuple[KeyRing, str, datetime]":
    """The endpoint's keys, its stack's name and the cloud's time; raises `CliError` if it uses no keys."""
    from serinus.cli.api_keys import KeyRing
    from serinus.cli.context import resolve_context
    from serinus.cli.endpoints import find_stack
    from serinus.cli.request_auth import describe_auth
    from serinus.infra.names import OUTPUTS

    context = resolve_context(env, local=local, port=port)
    deployed = find_stack(context.project, context.environment, endpoint, context.target)
    key_id = deployed.outputs.get(OUTPUTS.api_key_id)
    if key_id is None:
        raise CliError(
            f"{endpoint} has no API keys: it requires {describe_auth(deployed.outputs.get(OUTPUTS.auth, ''))}. "
            f'To use keys, set auth = "api_key" in [endpoint.{endpoint}] and deploy.'
        )
    return KeyRing(context.target.client("apigateway"), deployed.stack, key_id), deployed.stack, context.now()


def _print_keys(keys: "list[ApiKey]", current: "ApiKey") -> None:
    """All keys, on stderr: stdout holds the key alone."""
    shown = table("ID", "created by", "created (UTC)", "state", ">requests today")
    for api_key in keys:
        state = "current" if api_key is current else "valid" if api_key.enabled else "disabled"
        shown.add_row(
            api_key.id,
            api_key.origin,
            f"{api_key.created_at:%Y-%m-%d %H:%M:%S}",
            state,
            str(api_key.requests_today),
        )
    progress.print(shown)
