"""`serinus key`: the API key of an endpoint, shown, replaced and closed."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from serinus.cli.console import notice, print_json, progress, results, table
from serinus.cli.errors import CliError
from serinus.cli.target import CloudPort, Environment, Local

if TYPE_CHECKING:
    from serinus.cli.api_keys import ApiKey, KeyRing


def key(
    endpoint: Annotated[str, typer.Argument(help="Endpoint.")],
    rotate: Annotated[bool, typer.Option("--rotate", help="Make a new key; the others stay valid.")] = False,
    revoke: Annotated[
        str | None, typer.Option("--revoke", metavar="ID", help="Close the key of this id, at once.")
    ] = None,
    env: Environment = None,
    local: Local = False,
    port: CloudPort = None,
    as_json: Annotated[bool, typer.Option("--json", help="All keys, as data.")] = False,
) -> None:
    """Print the key that callers send as x-api-key, make a new one, or close an old one.

    After --rotate old and new key are both valid, until --revoke closes the old one.

    Example: [bold]serinus key churn --local --rotate[/]
    """
    from serinus.cli.api_keys import current_of

    if rotate and revoke:
        raise CliError("--rotate and --revoke are two steps: callers need the time between them to change keys.")
    ring, stack, now = open_ring(endpoint, env, local, port)
    if rotate:
        made = ring.rotate(now)
        notice(f"made key {made.id}; it is valid at once, and so are the others until --revoke closes them")
    if revoke:
        how = "deleted" if ring.revoke(revoke).origin == "rotation" else "disabled"
        notice(f"{revoke} is {how} and opens nothing any more")
    keys = ring.listed(usage_of=now)
    if as_json:
        print_json([one.to_json() for one in keys])
        return
    current = current_of(keys, stack)
    results.print(current.value, markup=False)
    if len(keys) > 1 or rotate or revoke:
        _tell(keys, current)


def open_ring(endpoint: str, env: str | None, local: bool, port: int | None) -> "tuple[KeyRing, str, datetime]":
    """The endpoint's keys, its stack's name and the time there; `CliError` where no key is needed."""
    from serinus.cli.api_keys import KeyRing
    from serinus.cli.context import stand
    from serinus.cli.endpoints import find_stack
    from serinus.cli.request_auth import wants
    from serinus.infra.names import OUTPUTS

    place = stand(env, local=local, port=port)
    found = find_stack(place.project, place.environment, endpoint, place.target)
    key_id = found.outputs.get(OUTPUTS.api_key_id)
    if key_id is None:
        raise CliError(
            f"{endpoint} has no API keys: it asks its callers for {wants(found.outputs.get(OUTPUTS.auth, ''))}. "
            f'Keys come with auth = "api_key" in [endpoint.{endpoint}].'
        )
    return KeyRing(place.target.client("apigateway"), found.stack, key_id), found.stack, place.now()


def _tell(keys: "list[ApiKey]", current: "ApiKey") -> None:
    """All keys, on stderr: stdout holds the key alone."""
    shown = table("id", "of", "made (UTC)", "state", ">requests today")
    for one in keys:
        state = "current" if one is current else "valid" if one.enabled else "disabled"
        shown.add_row(one.id, one.origin, f"{one.made_at:%Y-%m-%d %H:%M:%S}", state, str(one.requests_today))
    progress.print(shown)
