"""The CDK app: one stack an endpoint, under the feature flags that aws-cdk-lib recommends.

The flags are set here and not in cdk.json, so that every project gets the same templates from the same release.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import aws_cdk as cdk

from serinus.infra.release import Release
from serinus.infra.settings import Endpoint, Settings
from serinus.infra.stacks.endpoint_stack import EndpointStack

FEATURE_FLAGS = Path(__file__).with_name("feature_flags.json")


def write_assembly(
    settings: Settings,
    releases: Sequence[tuple[Endpoint, Release]],
    outdir: Path | None,
    *,
    hotfix: bool = False,
) -> Path:
    """Synthesize the stacks of one environment; returns the assembly's folder. ``hotfix`` skips bakes."""
    app = create_app(outdir)
    for endpoint, release in releases:
        EndpointStack(app, settings=settings, endpoint=endpoint, release=release, hotfix=hotfix)
    return Path(app.synth().directory)


def create_app(outdir: Path | None = None) -> cdk.App:
    """An empty app. Without ``outdir`` the assembly goes to the CDK CLI's folder, or to a temporary one."""
    return cdk.App(
        outdir=str(outdir) if outdir else None,
        analytics_reporting=False,
        context=json.loads(FEATURE_FLAGS.read_text(encoding="utf-8")),
    )
