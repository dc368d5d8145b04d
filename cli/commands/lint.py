"""`serinus lint`: reports settings that AWS would reject or ignore later."""

from dataclasses import asdict
from typing import Annotated

import typer

from serinus.cli.console import print_json, results
from serinus.cli.project import find_project
from serinus.cli.target import AsJson
from serinus.infra.names import DEFAULT_ENVIRONMENT

Environment = Annotated[str, typer.Option("--env", metavar="NAME", help="Environment in serinus.toml.")]


def lint(
    env: Environment = DEFAULT_ENVIRONMENT,
    as_json: AsJson = False,
) -> None:
    """Check settings against rules that AWS enforces only at deploy time, or never, and show which endpoints a
    deploy leaves out. Exit code 1: it found errors.

    Example: [bold]serinus lint --env prod[/]
    """
    from serinus.infra.lint import lint as find_problems
    from serinus.infra.lint import lint_left_out

    project = find_project()
    problems = find_problems(project, env)
    findings = [*problems, *lint_left_out(project, env)]
    if as_json:
        print_json([asdict(finding) for finding in findings])
    for finding in () if as_json else findings:
        colour = {"error": "red", "warning": "yellow", "note": "cyan"}[finding.severity]
        results.print(f"{finding.severity} ", style=f"bold {colour}", end="")
        results.print(str(finding))
    if not problems and not as_json:
        results.print(f"no problems in environment {env}")
    if any(finding.severity == "error" for finding in findings):
        raise typer.Exit(1)
