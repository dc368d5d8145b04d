"""The CDK app: one stack an endpoint, one that they share, under the feature flags that aws-cdk-lib recommends.

The flags are set here and not in cdk.json, so that every project gets the same templates from the same release.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import aws_cdk as cdk

from serinus.infra.release import Release
from serinus.infra.settings import Endpoint, Settings
from serinus.infra.stacks.endpoint_stack import EndpointStack
from serinus.infra.stacks.shared_stack import SharedStack

FEATURE_FLAGS = Path(__file__).with_name("feature_flags.json")


def write_assembly(
    settings: Settings,
    releases: Sequence[tuple[Endpoint, Release]],
    outdir: Path | None,
    *,
    hotfix: bool = False,
) -> Path:
    """Synthesize the stacks of one environment; returns the assembly's folder. ``hotfix`` skips bakes.

    The shared stack is deployed before the endpoints, whose alarms and logs name its topic and its collector, and
    deleted after them.
    """
    app = create_app(outdir)
    shared = _shared_stack(app, settings, releases)
    for endpoint, release in releases:
        stack = EndpointStack(app, settings=settings, endpoint=endpoint, release=release, hotfix=hotfix)
        if shared is not None:
            stack.add_stack_dependency(shared)
    return Path(app.synth().directory)


def _shared_stack(
    app: cdk.App, settings: Settings, releases: Sequence[tuple[Endpoint, Release]]
) -> SharedStack | None:
    if settings.shared_stack is None:
        return None
    layers = {endpoint.name: release.runtime_layer for endpoint, release in releases}
    runtime_zip = layers[settings.monitored[0].name] if settings.monitored else None
    return SharedStack(app, name=settings.shared_stack, settings=settings, runtime_zip=runtime_zip)


def create_app(outdir: Path | None = None) -> cdk.App:
    """An empty app. Without ``outdir`` the assembly goes to the CDK CLI's folder, or to a temporary one."""
    return cdk.App(
        outdir=str(outdir) if outdir else None,
        analytics_reporting=False,
        context=json.loads(FEATURE_FLAGS.read_text(encoding="utf-8")),
    )
