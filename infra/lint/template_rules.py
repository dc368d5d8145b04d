"""Rules on finished templates: what AWS rejects or ignores in them, whichever construct or aspect wrote it.

Settings cannot cause most of it; an extended stack can. Synth applies the rules to its own output.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from serinus.infra.lint.finding import Problem
from serinus.infra.lint.template_alarms import check_alarm_count, check_alarm_metrics
from serinus.infra.lint.template_parts import Template, named, of_type

#: docs.aws.amazon.com/lambda/latest/dg/snapstart.html
SNAPSTART_RUNTIMES = ("python3.12", "python3.13", "python3.14")
LARGEST_SNAPSTART_TMP_MB = 512
#: docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MOST_LAYERS = 5
LARGEST_ENVIRONMENT_BYTES = 4096
#: Milliseconds that an API waits for its integration by default.
_API_WAITS_MS = {"AWS::ApiGateway::Method": 29_000, "AWS::ApiGatewayV2::Integration": 30_000}


def check_template(template: Mapping[str, Any], *, weighted: bool) -> Iterator[Problem]:
    """All problems of one stack's template; ``weighted``: releases split traffic by weights."""
    yield from check_alarm_metrics(template, weighted=weighted)
    for rule in RULES:
        yield from rule(template)


def check_snapstart(template: Template) -> Iterator[Problem]:
    """SnapStart beside a file system, a large /tmp, environments kept ready, or on a runtime without it."""
    for name, function in of_type(template, "AWS::Lambda::Function"):
        if function.get("SnapStart", {}).get("ApplyOn") != "PublishedVersions":
            continue
        clashes = []
        if function.get("FileSystemConfigs"):
            clashes.append("a file system (EFS)")
        size = function.get("EphemeralStorage", {}).get("Size", LARGEST_SNAPSTART_TMP_MB)
        if size > LARGEST_SNAPSTART_TMP_MB:
            clashes.append(f"a /tmp of {size} MB (SnapStart allows {LARGEST_SNAPSTART_TMP_MB})")
        if function.get("Runtime") not in SNAPSTART_RUNTIMES:
            clashes.append(f"runtime {function.get('Runtime')}")
        if any(_keeps_ready(template, name)):
            clashes.append("provisioned concurrency")
        for clash in clashes:
            yield Problem(
                "error",
                ("cold_start",),
                f"function {name} combines SnapStart with {clash}, which Lambda rejects",
                'Remove one of the two; cold_start = "none" removes SnapStart',
            )


def _keeps_ready(template: Template, function: str) -> Iterator[str]:
    """Aliases and versions of ``function`` whose environments are kept ready."""
    for kind in ("AWS::Lambda::Alias", "AWS::Lambda::Version"):
        for name, properties in of_type(template, kind):
            if properties.get("ProvisionedConcurrencyConfig") and named(properties.get("FunctionName"), function):
                yield name


def check_weights(template: Template) -> Iterator[Problem]:
    """Weights written into an alias whose environments are kept ready (cfn-lint's E3020)."""
    for name, alias in of_type(template, "AWS::Lambda::Alias"):
        if alias.get("RoutingConfig") and alias.get("ProvisionedConcurrencyConfig"):
            yield Problem(
                "error",
                ("cold_start",),
                f"alias {name} has weights and provisioned concurrency, which CloudFormation rejects",
                "Leave weights to CodeDeploy",
            )


def check_api_timeouts(template: Template) -> Iterator[Problem]:
    """An API that times out before its function: the caller gets 504, and the function runs on, billed."""
    functions = dict(of_type(template, "AWS::Lambda::Function"))
    aliases = dict(of_type(template, "AWS::Lambda::Alias"))
    for kind, default_ms in _API_WAITS_MS.items():
        for name, properties in of_type(template, kind):
            integration = properties.get("Integration", {}) if kind == "AWS::ApiGateway::Method" else properties
            target = json.dumps([integration.get("Uri"), integration.get("IntegrationUri")])
            waits_ms = integration.get("TimeoutInMillis", default_ms)
            called = [function for function in functions if f'"{function}"' in target]
            for alias, alias_properties in aliases.items():
                if f'"{alias}"' in target:
                    pointed_at = alias_properties.get("FunctionName")
                    called += [function for function in functions if named(pointed_at, function)]
            for function in called:
                limit_ms = 1000 * functions[function].get("Timeout", 3)
                if waits_ms < limit_ms:
                    yield Problem(
                        "error",
                        ("timeout_s",),
                        f"{name} waits {waits_ms} ms for function {function}, which may take {limit_ms} ms",
                        f"Set timeout_s = {waits_ms // 1000} or less",
                    )


def check_function_sizes(template: Template) -> Iterator[Problem]:
    """More layers or variables than Lambda allows."""
    for name, function in of_type(template, "AWS::Lambda::Function"):
        if (count := len(function.get("Layers", []))) > MOST_LAYERS:
            yield Problem(
                "error",
                ("model",),
                f"function {name} has {count} layers; Lambda allows {MOST_LAYERS}",
                "Merge some of them",
            )
        variables = function.get("Environment", {}).get("Variables", {})
        size = sum(len(f"{key}{value}".encode()) for key, value in variables.items() if isinstance(value, str))
        if size > LARGEST_ENVIRONMENT_BYTES:
            yield Problem(
                "error",
                ("variables",),
                f"function {name} has {size} bytes of variables; Lambda allows {LARGEST_ENVIRONMENT_BYTES}",
                "Move large values into the bundle, or into a parameter that is read at init",
            )


RULES: tuple[Callable[[Template], Iterator[Problem]], ...] = (
    check_alarm_count,
    check_snapstart,
    check_weights,
    check_api_timeouts,
    check_function_sizes,
)
