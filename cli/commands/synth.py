"""`serinus synth`: the CDK app of a project. cdk.json runs it, so that no folder of a project can shadow ours."""

from serinus.cli.project import find_project


def synth() -> None:
    """Synthesize the project's stacks. The CDK CLI runs this as the project's app; use `npx cdk synth`.

    Example: [bold]npx cdk synth -c env=prod[/]
    """
    from serinus.infra.synth import synthesize

    synthesize(find_project())
