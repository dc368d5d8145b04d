"""A check of one account from its first creation to the removal of everything."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import botocore.exceptions

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
from serinus.cli.account_check.stack_checks import live_alias, observe_stack_rollback, release_second_version
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
            _require_ready(target, caller)
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
        raise CliError(f"the account cannot be read: {error}. `serinus doctor` checks the credentials.") from error
    return caller


def _require_ready(target: CloudTarget, caller: Caller) -> None:
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
    clock = clock_of(target)
    with ended_in_order(), open_inventory(options.project, caller.account, caller.region) as inventory:
        inventory.on_step = options.on_step
        run = f"{PREFIX}{secrets.token_hex(3)}"
        waiting = Waiting(clock, options.on_step)
        session = CheckSession(target, caller, run, waiting, inventory, options.project, options.show)
        _clear_earlier(session)
        began_at = session.now()
        left: list[str] = []
        try:
            inventory.begin(run)
            _check(session, options)
        finally:
            with interrupts_ignored():
                options.show(
                    "removing everything that was made; this takes some minutes and cannot be interrupted"
                )
                left = remove_everything(session)
                for what in left:
                    options.show(f"not removed: {what}")
        ended_at = session.now()
        observations = complete(session.observations, ended_at)
    name = "AWS" if target.cloud is None else "an offline cloud"
    return CheckReport(name, caller.account, caller.region, began_at, ended_at, observations, left)


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


def _check(session: CheckSession, options: CheckOptions) -> None:
    session.show("packaging a small model")
    with check_workspace(session, options.project) as workspace:
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
    first = str(live_alias(session)["FunctionVersion"])
    requests = Requests(session, workspace.stable.project)

    def meanwhile() -> None:
        observe_permissions(session)
        observe_reserved_names(session)

    session.show("measuring how late metrics appear")
    observe_empty_series(session)
    measure_metric_delays(session, requests.send, meanwhile)
    if options.releases:
        session.show("releasing a second version")
        release_second_version(session, workspace, assemblies)
        second = str(live_alias(session)["FunctionVersion"])
        session.show("calling an alias with weights")
        observe_weighted_alias(session, second, first)
        session.show("stopping deployments by an alarm")
        observe_deployments(session, second, first)
        session.show("releasing with a resource that fails after the shift")
        observe_stack_rollback(session, workspace, assemblies)
        observe_first_init(session, first)
    session.waiting.until(lambda: not session.waiting.watchers, LONGEST_DELAY_S, every_s=5.0, what="ListMetrics")
    if "list-metrics-delay" not in session.observations:
        session.observe("list-metrics-delay", None, f"not listed within {LONGEST_DELAY_S / 60:.0f} minutes")
