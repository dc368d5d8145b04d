"""A check of one account from its first creation to the removal of everything."""

import contextlib
import importlib.metadata
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import botocore.exceptions
import httpx

from serinus.cli.account_check.alias_checks import observe_weighted_alias
from serinus.cli.account_check.check_project import Assemblies, check_workspace
from serinus.cli.account_check.deployment_checks import observe_deployments
from serinus.cli.account_check.firewall_check import observe_reserved_names
from serinus.cli.account_check.init_check import observe_first_init
from serinus.cli.account_check.inventory import open_inventory
from serinus.cli.account_check.metric_delays import (
    LONGEST_DELAY_S,
    Requests,
    measure_metric_delays,
    observe_empty_series,
)
from serinus.cli.account_check.permission_checks import observe_permissions
from serinus.cli.account_check.releases import deploy
from serinus.cli.account_check.removal import foreign_stacks, remove_everything
from serinus.cli.account_check.report import CheckReport, complete
from serinus.cli.account_check.session import PREFIX, Caller, CheckSession
from serinus.cli.account_check.stack_checks import live_version, observe_stack_rollback, release_second_version
from serinus.cli.account_check.waiting import Waiting, clock_of
from serinus.cli.bootstrap import bootstrap
from serinus.cli.errors import CliError
from serinus.cli.layer_twins import register_twins
from serinus.cli.rehearse.background import interrupts_ignored
from serinus.cli.rehearse.workspace import STABLE, Workspace
from serinus.cli.target import CloudTarget
from serinus.cli.termination import ended_in_order
from serinus.lambda_handlers.contract.build import BUILD_DIR, read_build


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """``project`` lends its CDK CLI and keeps the record; ``releases`` False leaves out what needs more than one
    release. ``on_step`` is called before each creation and at each look of a wait."""

    project: Path
    target: CloudTarget
    caller: Caller
    show: Callable[[str], None]
    releases: bool = True
    on_step: Callable[[str], None] = lambda _step: None


def identify(target: CloudTarget) -> Caller:
    """Who would check which account. Raises `CliError` if that is not known, or the account is not ready."""
    try:
        region = target.region_name
        if region is None:
            raise CliError("no AWS region is set. Set AWS_REGION, or a region in your profile.")
        identity = target.client("sts").get_caller_identity()
        caller = Caller(identity["Account"], region, identity["Arn"])
        if target.cloud is None:
            require_ready(target, caller)
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
        raise CliError(f"the account cannot be read: {error}. `serinus doctor` checks the credentials.") from error
    return caller


def require_ready(target: CloudTarget, caller: Caller) -> None:
    """Raises `CliError` for root's credentials, and unless the CDK can deploy into the account."""
    if caller.is_root:
        raise CliError(
            f"these are credentials of the root user of account {caller.account}, which cannot assume the CDK's "
            "roles and should have no access key. Use those of a role or user with AdministratorAccess."
        )
    cloudformation = target.client("cloudformation")
    try:
        status = cloudformation.describe_stacks(StackName="CDKToolkit")["Stacks"][0]["StackStatus"]
    except botocore.exceptions.ClientError as error:
        if "does not exist" not in str(error):
            raise
        status = ""
    if not status.endswith("_COMPLETE") or "ROLLBACK" in status.removeprefix("UPDATE_"):
        raise CliError(
            f"account {caller.account} is not bootstrapped for the CDK in {caller.region}"
            f"{f' (CDKToolkit is {status})' if status else ''}. Next: npx cdk bootstrap "
            f"aws://{caller.account}/{caller.region}"
        )


def check_account(options: CheckOptions) -> CheckReport:
    """Check the account; removes what this and earlier runs have made, however it ends."""
    caller, target = options.caller, options.target
    waiting = Waiting(clock_of(target), options.on_step)
    with ended_in_order(), open_inventory(options.project, caller.account, caller.region) as inventory:
        inventory.on_step = options.on_step
        run = f"{PREFIX}{secrets.token_hex(3)}"
        session = CheckSession(target, caller, run, waiting, inventory, options.show)
        _clear_earlier(session)
        began_at = session.now()
        options.show("packaging a small model")
        with check_workspace(session, options.project) as workspace:
            left, failure = list[str](), ""
            try:
                inventory.begin(run)
                inventory.creating("folder", str(workspace.folder))
                _check(session, options, workspace)
            except (CliError, botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
                failure = str(error)
                options.show(f"the check failed: {failure}")
            finally:
                # The offline cloud runs layers from the workspace: it goes last.
                with interrupts_ignored():
                    left += _remove(session)
        ended_at = session.now()
        session.close()
        observations = complete(session.observations, ended_at)
    name = "AWS" if target.cloud is None else "an offline cloud"
    version = importlib.metadata.version("serinus")
    return CheckReport(
        cloud=name,
        account=caller.account,
        region=caller.region,
        began_at=began_at,
        ended_at=ended_at,
        observations=observations,
        left=tuple(left),
        failure=failure,
        version=version,
    )


def _remove(session: CheckSession) -> list[str]:
    """Remove everything; what is left, in words. Without a network that is all that the record names."""
    session.show("removing everything that was made; this takes some minutes and cannot be interrupted")
    try:
        left = remove_everything(session)
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError, httpx.HTTPError) as error:
        left = [f"everything in {session.inventory.path}, because it could not be read or removed: {error}"]
    for what in left:
        session.show(f"not removed: {what}")
    return left


def _clear_earlier(session: CheckSession) -> None:
    """Remove what a killed run left; `CliError` for a check that may be running elsewhere."""
    if foreign := foreign_stacks(session):
        raise CliError(
            f"stack {foreign[0]} belongs to a check that this project did not start, and that may be running. "
            "Wait for it to end, or delete the stack in CloudFormation if it has been abandoned."
        )
    session.show("looking for what an earlier check may have left")
    if left := remove_everything(session):
        raise CliError(f"an earlier check left what could not be removed: {'; '.join(left)}")


def _check(session: CheckSession, options: CheckOptions, workspace: Workspace) -> None:
    assemblies = Assemblies(session, workspace)
    try:
        _observe(session, options, workspace, assemblies)
    finally:
        assemblies.end()


def _observe(session: CheckSession, options: CheckOptions, workspace: Workspace, assemblies: Assemblies) -> None:
    bootstrap(options.project, session.target, workspace.folder / "bootstrap.log")
    assemblies.require(STABLE)
    if session.target.cloud is not None:
        build = workspace.folder / BUILD_DIR
        register_twins(session.target.cloud.own_api(), build, read_build(build))
    session.show("deploying the endpoint")
    created = deploy(session, workspace, STABLE)
    if not created.succeeded:
        reasons = [event.reason for event in created.events if event.status == "CREATE_FAILED" and event.reason]
        raise CliError(f"the endpoint could not be deployed ({created.status}): {'; '.join(reasons[:3])}")
    first = live_version(session)
    with contextlib.closing(Requests(session, workspace.stable.project)) as requests:
        _observe_one_version(session, requests)
    if options.releases:
        session.show("releasing a second version")
        release_second_version(session, workspace, assemblies)
        _observe_two_versions(session, live_version(session), first)
        session.show("releasing with a resource that fails after the shift")
        broken = lambda: observe_stack_rollback(session, workspace, assemblies)  # noqa: E731
        _attempt(session, broken, "stack-alias-rollback")
        _attempt(session, lambda: observe_first_init(session, first), "first-init-delay")
    session.waiting.until(lambda: not session.waiting.watchers, LONGEST_DELAY_S, every_s=5.0, what="ListMetrics")
    if "list-metrics-delay" not in session.observations:
        session.observe("list-metrics-delay", None, f"not listed within {LONGEST_DELAY_S / 60:.0f} minutes")


def _observe_one_version(session: CheckSession, requests: Requests) -> None:
    def meanwhile() -> None:
        permissions = ("role-propagation", "delete-function-resource")
        _attempt(session, lambda: observe_permissions(session), *permissions)
        _attempt(session, lambda: observe_reserved_names(session), "waf-reserved-names")

    session.show("measuring how late metrics appear")
    _attempt(session, lambda: observe_empty_series(session), "empty-series")
    delays = lambda: measure_metric_delays(session, requests.send, meanwhile)  # noqa: E731
    _attempt(session, delays, "metric-delay", "new-metric-delay")


def _observe_two_versions(session: CheckSession, second: str, first: str) -> None:
    session.show("calling an alias with weights")
    of_alias = ("executed-version", "throttled-version", "alias-with-provisioned")
    _attempt(session, lambda: observe_weighted_alias(session, second, first), *of_alias)
    session.show("stopping deployments by an alarm")
    of_deployments = (
        "function-info-in-hooks",
        "target-version-weight",
        "alarm-polling",
        "hooks-in-rollback",
        "alarms-in-rollback",
    )
    _attempt(session, lambda: observe_deployments(session, second, first), *of_deployments)


def _attempt(session: CheckSession, observe: Callable[[], None], *readings: str) -> None:
    """Observe; if that fails, ``readings`` that are not observed yet are not, for this reason, and the check
    goes on."""
    try:
        observe()
    except (CliError, botocore.exceptions.ClientError) as error:
        for reading in readings:
            if reading not in session.observations:
                session.observe(reading, None, str(error))
