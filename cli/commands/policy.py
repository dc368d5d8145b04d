"""`serinus policy`: prints IAM policies for those who work on a project's endpoints."""

from enum import StrEnum
from typing import Annotated

import typer

from serinus.cli.console import print_json
from serinus.cli.project import find_project
from serinus.infra.names import DEFAULT_ENVIRONMENT


class Holder(StrEnum):
    """For whom the policy is."""

    OPERATOR = "operator"
    CI = "ci"
    BOOTSTRAP = "bootstrap"


def policy(
    holder: Annotated[
        Holder,
        typer.Argument(
            help="operator: status, logs, key, rollout and rollback. ci: deploy. bootstrap: what CloudFormation "
            "may do, for `npx cdk bootstrap`."
        ),
    ],
    env: Annotated[
        str, typer.Option("--env", metavar="NAME", help="Environment in serinus.toml.")
    ] = DEFAULT_ENVIRONMENT,
) -> None:
    """Print an IAM policy that allows no more than a job needs, for the endpoints of one environment.

    Example: [bold]serinus policy operator --env prod[/]
    """
    from serinus.infra.access_policies import POLICIES
    from serinus.infra.names import SETTINGS
    from serinus.infra.settings import load_settings

    print_json(POLICIES[holder.value](load_settings(find_project() / SETTINGS, env)))
