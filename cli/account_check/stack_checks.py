"""How CloudFormation updates the alias, in what order, and how it returns it when the update fails afterwards."""

from typing import Any

from serinus.cli.account_check.check_project import BROKEN, DESCRIBED, PLAIN, Assemblies
from serinus.cli.account_check.deployment_checks import watch_hooks
from serinus.cli.account_check.observation import clock_text
from serinus.cli.account_check.releases import (
    ALIAS_TYPE,
    GROUP_TYPE,
    ROLLBACK_TIMEOUT_S,
    STACK_TYPE,
    DeployedRelease,
    StackEvent,
    deploy,
    deployments,
)
from serinus.cli.account_check.session import CheckSession
from serinus.cli.account_check.template_edits import BROKEN as BROKEN_RESOURCE
from serinus.cli.account_check.template_edits import DESCRIPTION
from serinus.cli.errors import CliError
from serinus.cli.rehearse.workspace import Workspace
from serinus.infra.names import ALIAS

#: Beyond it the return of an alias that no deployment moves counts as slow.
_SLOW_S = 10 * 60.0


def release_second_version(session: CheckSession, workspace: Workspace, assemblies: Assemblies) -> None:
    """Release another version; observe alias-several-properties and update-policy-order. If the alias's second
    property is refused, release without it."""
    assemblies.require(DESCRIBED)
    session.waiting.watchers.append(watch := watch_hooks(session))
    release = deploy(session, workspace, DESCRIBED)
    if release.succeeded:
        description = live_alias(session).get("Description", "")
        session.observe(
            "alias-several-properties",
            "applied" if description == DESCRIPTION else "ignored",
            f"after UPDATE_COMPLETE of version and description together, the description is {description!r}",
        )
    else:
        failed = release.first(ALIAS_TYPE, "UPDATE_FAILED")
        if failed is None:
            raise CliError(f"stack {session.stack} is {release.status}, not because of its alias: {_why(release)}")
        session.observe(
            "alias-several-properties",
            "refused",
            f"the alias's update of version and description failed at {clock_text(failed.at)}: {failed.reason}",
        )
        assemblies.require(PLAIN)
        release = deploy(session, workspace, PLAIN)
        if not release.succeeded:
            raise CliError(f"stack {session.stack} is {release.status}: {_why(release)}")
    session.waiting.watchers.remove(watch)
    _observe_order(session, release)


def _observe_order(session: CheckSession, release: DeployedRelease) -> None:
    alias = release.first(ALIAS_TYPE, "UPDATE_IN_PROGRESS")
    group = release.first(GROUP_TYPE, "UPDATE_COMPLETE")
    if alias is None or group is None:
        session.observe("update-policy-order", None, "the update did not change both alias and deployment group")
        return
    positions = [release.events.index(event) for event in (alias, group)]
    session.observe(
        "update-policy-order",
        "yes" if positions[0] > positions[1] else "no",
        f"without DependsOn, the alias's update began at {clock_text(alias.at)}, the group's had ended at "
        f"{clock_text(group.at)}",
    )


def observe_stack_rollback(session: CheckSession, workspace: Workspace, assemblies: Assemblies) -> None:
    """Observe stack-alias-rollback: a release whose update fails after the alias has shifted."""
    assemblies.require(BROKEN)
    before, earlier = live_version(session), set(deployments(session))
    release = deploy(session, workspace, BROKEN, timeout_s=ROLLBACK_TIMEOUT_S)
    shifted = release.first(ALIAS_TYPE, "UPDATE_COMPLETE")
    failed = release.first(BROKEN_RESOURCE, "CREATE_FAILED")
    rolling_back = release.first(session.stack, "UPDATE_ROLLBACK_IN_PROGRESS")
    if shifted is None or failed is None or rolling_back is None:
        session.observe("stack-alias-rollback", None, f"the update did not fail after the shift: {_why(release)}")
        return
    new = [entry for entry in deployments(session) if entry not in earlier]
    returned = live_version(session) == before
    _classify(session, release, rolling_back, returned=returned, restoring=len(new) - 1)


def _classify(
    session: CheckSession, release: DeployedRelease, rolling_back: StackEvent, *, returned: bool, restoring: int
) -> None:
    """Observe the reading from what followed the event ``rolling_back``; ``restoring`` deployments among it."""
    rest = release.events[release.events.index(rolling_back) :]
    of_alias = [event for event in rest if event.type == ALIAS_TYPE]
    ended = next((event for event in of_alias if event.status == "UPDATE_COMPLETE"), None)
    reasons = [f"{event.status}: {event.reason}" for event in of_alias if event.reason]
    if ended is None or not returned or release.status != "UPDATE_ROLLBACK_COMPLETE":
        value = "stuck"
        how = f"the stack was {release.status} in the end, and the alias {'was' if returned else 'was not'} back"
    else:
        took_s = ended.at - rolling_back.at
        value = "codedeploy" if restoring > 0 else "slow" if took_s > _SLOW_S else "direct"
        how = f"the alias was back {took_s:.0f} s later, by {max(0, restoring)} deployments"
    began = f"the stack began to roll back at {clock_text(rolling_back.at)}"
    session.observe("stack-alias-rollback", value, f"{began}; {how}", *reasons[:3])


def live_alias(session: CheckSession) -> dict[str, Any]:
    """The endpoint's alias, as Lambda describes it."""
    alias: dict[str, Any] = session.client("lambda").get_alias(FunctionName=session.stack, Name=ALIAS)
    return alias


def live_version(session: CheckSession) -> str:
    """The version that the endpoint's alias names."""
    return str(live_alias(session)["FunctionVersion"])


def _why(release: DeployedRelease) -> str:
    failures = [event for event in release.events if event.status.endswith("_FAILED") and event.type != STACK_TYPE]
    return "; ".join(f"{event.logical_id}: {event.reason}" for event in failures[:3]) or release.status
