"""What `serinus package --candidate` says: what stays pinned, and the commands that compare and pin the bundle."""

from pathlib import Path

from serinus.infra.names import DEFAULT_ENVIRONMENT, SETTINGS
from serinus.lambda_handlers.contract.bundle import SHORT
from serinus.lambda_handlers.contract.lock import LOCK


def describe_candidate(project: Path, environment: str, model: str, version: str) -> str:
    """The bundle ``version`` of ``model``, which was packaged and not pinned, and the next commands."""
    from serinus.cli.candidates import find_candidates
    from serinus.infra.release import pinned_version

    pinned, short = pinned_version(project, environment, model), version[:SHORT]
    flag = "" if environment == DEFAULT_ENVIRONMENT else f" --env {environment}"
    if pinned == version:
        return f"{model} {short} is the bundle that {LOCK} pins for {environment} already"
    candidates = find_candidates(project, environment, model)
    # Packaged before what is pinned, or pinned elsewhere: the commands would not choose it by themselves.
    newest = bool(candidates) and candidates[0].version == version
    pin = f"serinus pin {model}{'' if newest else f' {short}'}{flag}"
    if pinned is None:
        return f"{model} {short} is a candidate; {LOCK} pins no {model} for {environment}. Next: {pin}"
    endpoint = _endpoint_of(project, model)
    rehearse = f"serinus rehearse {endpoint}{'' if newest else f' --candidate {short}'}{flag}"
    return (
        f"{model} {short} is a candidate; {LOCK} still pins {pinned[:SHORT]} for {environment}. "
        f"Next: {rehearse}, then {pin}"
    )


def _endpoint_of(project: Path, model: str) -> str:
    """An endpoint that serves ``model``; its table was added, if need be, when the model was pinned."""
    import tomllib

    endpoints = tomllib.loads((project / SETTINGS).read_text(encoding="utf-8")).get("endpoint", {})
    if model in endpoints and endpoints[model].get("model", model) == model:
        return model
    return next((name for name, table in endpoints.items() if table.get("model") == model), model)
