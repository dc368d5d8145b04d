"""`serinus deploy`: the stock CDK CLI with what it needs around it: bootstrap, build step, outputs."""

import contextlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serinus.cli import cdk, offline_process
from serinus.cli.console import notice, print_json, results, step
from serinus.cli.errors import CliError, Interrupted
from serinus.cli.project_lock import turn
from serinus.cli.target import CloudPort, Environment, Local, Target

if TYPE_CHECKING:
    from serinus.cli.context import Place

LOG = Path(".serinus/local/cdk.log")


def deploy(
    endpoints: Annotated[
        list[str] | None, typer.Argument(help="Endpoints; all of the environment by default.")
    ] = None,
    env: Environment = None,
    local: Local = False,
    port: CloudPort = None,
    hotfix: Annotated[
        bool, typer.Option("--hotfix", help="Skip the bake, once: all traffic moves after the check before it.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show what the CDK CLI prints.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As data.")] = False,
) -> None:
    """Deploy endpoints with the pinned CDK CLI: to the offline cloud with --local, to AWS without.

    Example: [bold]serinus deploy churn --local[/]
    """
    from serinus.cli.context import stand
    from serinus.cli.endpoints import curl_line, example_rows, find_endpoint, stack_names
    from serinus.cli.request_auth import wants

    place = stand(env, local=local, port=port)
    project, environment, target = place.project, place.environment, place.target
    stacks = stack_names(project, environment, endpoints or [])
    log = project / LOG if local and not verbose else None
    began = time.monotonic()
    if hotfix and log is not None:  # where synth itself is not heard
        notice("hotfix: what is new takes all traffic once it is checked, without a bake or a judge")
    try:
        with turn(project, wait=True):
            _deploy(place, stacks, log, hotfix=hotfix)
    except KeyboardInterrupt as interrupt:
        begun = busy(target, stacks)
        told = "; ".join(f"the release of {name} goes on: {follow(name, place.here)}" for name in begun)
        raise Interrupted(f"interrupted; {told or 'no release had begun'}") from interrupt
    found = [find_endpoint(project, environment, name, target) for name in stacks]
    if as_json:
        print_json([endpoint.to_json() for endpoint in found])
        return
    notice(f"deployed to {target.name} in {time.monotonic() - began:.1f} s")
    for endpoint in found:
        results.print(f"{endpoint.name}  model {endpoint.model_version[:12]}  {endpoint.url}")
        notice(f"{endpoint.name} asks for {wants(endpoint.auth)}")
        notice(curl_line(endpoint, example_rows(project, environment, endpoint.name), target))


def _deploy(place: "Place", stacks: Mapping[str, str], log: Path | None, *, hotfix: bool) -> None:
    """Run the CDK CLI on ``stacks`` (by endpoint) once they are at rest; its output goes to ``log``, if any."""
    project, target = place.project, place.target
    # CloudFormation takes no change of a stack that is changing, and the CDK CLI does not wait.
    changing = busy(target, stacks)
    for name, status in changing.items():
        notice(f"waiting for {stacks[name]}, which is {status}: {follow(name, place.here)}")
    while changing:
        time.sleep(target.pause_s)
        changing = busy(target, stacks)
    for name, stack in stacks.items():
        _require_agreement(place, name, stack)
    if log is not None:
        log.unlink(missing_ok=True)
    approval = []
    if target.cloud is not None:
        bootstrap(project, target, log)
        approval = ["--require-approval", "never"]
    context = ["-c", f"env={place.environment}", *(["-c", "hotfix=true"] if hotfix else [])]
    command = ["deploy", *stacks.values(), *context, "--progress", "events", *approval]
    if log is None:
        cdk.run(project, command, target.environment())
    else:
        with step(f"deploying {', '.join(stacks)}"):
            cdk.run(project, command, target.environment(), log=log)


def _require_agreement(place: "Place", name: str, stack: str) -> None:
    """`CliError` where the alias was moved without the stack being told: CodeDeploy would refuse to move it, and
    CloudFormation put it back to what the stack believes."""
    import botocore.exceptions

    from serinus.cli.endpoints import describe_stack
    from serinus.cli.release_reader import RolloutReader

    believed = live = None
    # A stack that does not exist yet; whatever else is wrong, the CDK CLI says better.
    with contextlib.suppress(botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError, CliError):
        described = describe_stack(place.target, stack)
        believed = described.believed_version if described else None
        live = RolloutReader(place.target, stack).alias().version
    if believed and live and believed != live:
        raise CliError(
            f"version {live} answers all requests of {name}, but its stack believes {believed}, and a deploy "
            f"would put that back. `serinus rollback {name}{place.here}` makes them agree."
        )


def busy(target: Target, stacks: Mapping[str, str]) -> dict[str, str]:
    """The statuses of those of ``stacks`` (by endpoint) that an earlier deploy still changes."""
    import botocore.exceptions

    found: dict[str, str] = {}
    for name, stack in stacks.items():
        # A stack that does not exist yet; whatever else is wrong, the CDK CLI says better.
        with contextlib.suppress(botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError):
            cloudformation = target.client("cloudformation")
            status: str = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
            if status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
                found[name] = status
    return found


def follow(name: str, here: str) -> str:
    """How a release that is under way is followed, and ended."""
    return f"`serinus rollout watch {name}{here}` follows it, `serinus rollout stop {name}{here}` ends it"


def bootstrap(project: Path, target: Target, log: Path | None) -> None:
    """Bootstrap the offline cloud once: on AWS that is the account owner's own decision."""
    if target.cloud is None:
        return
    cloudformation = target.client("cloudformation")
    try:
        cloudformation.describe_stacks(StackName="CDKToolkit")
    except cloudformation.exceptions.ClientError:
        with step("bootstrapping the offline cloud"):
            where = f"aws://{target.cloud.account_id}/{target.cloud.region}"
            # Beside the project: its cdk.json would have the CLI build and synthesize first.
            elsewhere = project / offline_process.FOLDER
            cdk.run(project, ["bootstrap", where], target.environment(), log=log, folder=elsewhere)
