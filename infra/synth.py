"""From a project's folder to a cloud assembly, for both `app.py` and `serinus synth`.

Importing this module is cheap: the CDK library is loaded only once settings and release are known to be valid, so
that their errors appear at once.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serinus.infra.cdk_library import prepare_cdk_library
from serinus.infra.errors import InfraError, LintError, ReleaseError
from serinus.infra.idle_cost import describe_total, read_templates
from serinus.infra.lint import Finding, lint, lint_template
from serinus.infra.names import (
    CONTEXT_ENVIRONMENT,
    CONTEXT_HOTFIX,
    DEFAULT_ENVIRONMENT,
    LOCAL_ENVIRONMENT,
    SETTINGS,
    VARIABLE_ENVIRONMENT,
)
from serinus.infra.release import Release, describe_left_out, is_pinned, pinned_bundle, read_release, split_by_pin
from serinus.infra.settings import Endpoint, Settings, known_environments, load_settings

#: The CDK CLI passes context in this variable, and the assembly's folder in CDK_OUTDIR.
CDK_CONTEXT = "CDK_CONTEXT_JSON"


@dataclass(frozen=True, slots=True)
class RequiredLayers:
    """The layers for `serinus build`: ``targets`` are (runtime, architecture) pairs, ``bundles`` folders."""

    targets: tuple[tuple[str, str], ...]
    bundles: tuple[Path, ...]
    #: Endpoints of the selected environment that have no bundle there.
    left_out: tuple[Endpoint, ...] = ()


def selected_environment(variables: Mapping[str, str]) -> str:
    """The environment that `-c env=NAME` selects, as the CDK CLI passes it; else SERINUS_ENV's; else `dev`."""
    context = _context(variables)
    return str(context.get(CONTEXT_ENVIRONMENT) or variables.get(VARIABLE_ENVIRONMENT) or DEFAULT_ENVIRONMENT)


def is_hotfix(variables: Mapping[str, str]) -> bool:
    """Whether `-c hotfix=true` requests a release without a bake; raises `InfraError` for invalid values."""
    hotfix = str(_context(variables).get(CONTEXT_HOTFIX, False)).lower()
    if hotfix not in ("true", "false"):
        raise InfraError(
            f"context {CONTEXT_HOTFIX} is {hotfix!r}; allowed: true or false. Write `-c hotfix=true`."
        )
    return hotfix == "true"


def _context(variables: Mapping[str, str]) -> dict[str, Any]:
    context: dict[str, Any] = json.loads(variables.get(CDK_CONTEXT, "{}"))
    return context


def required_layers(project: Path, environment: str | None = None) -> RequiredLayers:
    """The layers for the endpoints that a deploy of ``environment`` includes; without one, those of all that have
    bundles pinned, since the CDK CLI does not pass the selected environment to its build step.

    Raises `InfraError` for invalid settings, and for a bundle that is missing or changed.
    """
    path = project / SETTINGS
    names = [environment] if environment else known_environments(path)
    targets: set[tuple[str, str]] = set()
    bundles: set[Path] = set()
    left_out: tuple[Endpoint, ...] = ()
    for settings in (load_settings(path, name) for name in names):
        included, left_out = split_by_pin(project, settings)
        for endpoint in included.endpoints:
            if environment or is_pinned(project, settings.environment, endpoint.model):
                targets.add((endpoint.settings.runtime, endpoint.settings.architecture))
                bundles.add(pinned_bundle(project, settings.environment, endpoint.model))
    if environment and not bundles:
        _read_releases(project, settings)
    if not bundles:
        raise InfraError(f"no endpoint of {SETTINGS} has a packaged model. `serinus package` creates one.")
    return RequiredLayers(tuple(sorted(targets)), tuple(sorted(bundles)), left_out if environment else ())


def synthesize(project: Path, environment: str | None = None, outdir: Path | None = None) -> Path:
    """Write the assembly of ``environment`` and return its folder. Both default to the CDK CLI's.

    Raises `InfraError` if settings, bundles or built layers cannot be deployed. Warnings of the lint, a hotfix and
    what the stacks cost while idle are reported on stderr.
    """
    everything = load_settings(project / SETTINGS, environment or selected_environment(os.environ))
    settings, left_out = split_by_pin(project, everything)
    if not settings.endpoints:
        settings, left_out = everything, ()  # the errors of all are raised
    skipped = {endpoint.name for endpoint in left_out}
    findings = lint(project, settings.environment)
    _refuse_errors(settings.environment, [item for item in findings if item.endpoint not in skipped])
    releases = _read_releases(project, settings)
    if left_out:
        sys.stderr.write(f"{describe_left_out(settings.environment, left_out)}\n")
    hotfix = is_hotfix(os.environ)
    if hotfix:
        names = ", ".join(endpoint.name for endpoint in settings.endpoints)
        sys.stderr.write(f"hotfix: new versions of {names} take all traffic at once, without a bake or a judge\n")
    prepare_cdk_library()
    from serinus.infra.assembly import write_assembly

    assembly = write_assembly(settings, releases, outdir, hotfix=hotfix)
    _refuse_errors(settings.environment, _lint_templates(project, settings, assembly))
    if settings.environment != LOCAL_ENVIRONMENT:
        sys.stderr.write(f"{settings.environment}, {describe_total(read_templates(assembly))}\n")
    return assembly


def _lint_templates(project: Path, settings: Settings, assembly: Path) -> list[Finding]:
    findings = []
    for endpoint in settings.endpoints:
        template = json.loads((assembly / f"{endpoint.stack_name}.template.json").read_bytes())
        findings += lint_template(project / SETTINGS, settings.environment, endpoint, template)
    return findings


def _refuse_errors(environment: str, findings: Sequence[Finding]) -> None:
    """Report warnings on stderr; raise `LintError` for errors."""
    for finding in findings:
        if finding.severity == "warning":
            sys.stderr.write(f"warning: {finding}\n")
    if errors := [str(finding) for finding in findings if finding.severity == "error"]:
        raise LintError(SETTINGS, environment, errors)


def main(project: Path) -> None:
    """The CDK app's main function: synthesize, with errors as plain lines on stderr and exit code 1."""
    try:
        synthesize(project)
    except InfraError as error:
        print(error, file=sys.stderr)
        raise SystemExit(1) from None


def _read_releases(project: Path, settings: Settings) -> list[tuple[Endpoint, Release]]:
    """The release of every endpoint; raises one `ReleaseError` with the errors of all of them."""
    if not settings.endpoints and settings.elsewhere:
        raise InfraError(
            f"no endpoint of {SETTINGS} exists in {settings.environment}: `environments` of "
            f"{', '.join(settings.elsewhere)} does not list it. Add it there, or choose another environment."
        )
    if not settings.endpoints:
        raise InfraError(f"{SETTINGS} has no endpoint. Write [endpoint.NAME] for a packaged model.")
    releases, errors = [], []
    for endpoint in settings.endpoints:
        try:
            releases.append((endpoint, read_release(project, settings, endpoint)))
        except ReleaseError as error:
            errors.append(str(error))
    if errors:
        raise ReleaseError("\n".join(dict.fromkeys(errors)))
    return releases
