"""`serinus synth`: the CDK app of a project; cdk.json names it, so no folder of the project can shadow ours."""

from serinus.cli.project import find_project


def synth() -> None:
    """Synthesize the project's stacks. The CDK CLI calls this; `npx cdk synth` is what a person types.

    Example: [bold]npx cdk synth -c env=prod[/]
    """
    from serinus.infra.synth import synthesize

    synthesize(find_project())
