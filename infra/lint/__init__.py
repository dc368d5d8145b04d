"""Rules that AWS enforces only at deploy time, or not at all, checked before anything is deployed.

`infra.settings` checks the range of each setting; these rules check settings against each other. A rule is a
function; each finding has the fault, its line in serinus.toml, and the fix.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from serinus.infra.lint import (
    access_rules,
    alarm_rules,
    cold_start_rules,
    cost_rules,
    edge_rules,
    evidence_rules,
    function_rules,
    rollout_rules,
)
from serinus.infra.lint.existence_rules import check_required, find_left_out
from serinus.infra.lint.finding import Finding, Problem, Rule
from serinus.infra.lint.leftover_rules import find_leftovers
from serinus.infra.lint.monitor_rules import check_monitored
from serinus.infra.lint.origins import find_origin
from serinus.infra.lint.size_rules import check_sizes
from serinus.infra.lint.template_rules import check_template
from serinus.infra.names import SETTINGS
from serinus.infra.settings import Endpoint, Settings, load_settings, read_positions
from serinus.infra.settings.positions import KeyPath

__all__ = ["Finding", "lint", "lint_left_out", "lint_template"]

RULES: tuple[Rule, ...] = (
    rollout_rules.check_length,
    rollout_rules.check_judged_minutes,
    rollout_rules.check_traffic,
    evidence_rules.check_steps,
    evidence_rules.check_evidence,
    rollout_rules.check_ignored,
    rollout_rules.check_unjudged,
    alarm_rules.check_count,
    alarm_rules.check_metrics,
    alarm_rules.check_thresholds,
    alarm_rules.check_minimum,
    alarm_rules.check_first_requests,
    function_rules.check_concurrency,
    function_rules.check_golden_limits,
    function_rules.check_explanations,
    cold_start_rules.check_ignored_provisioning,
    cold_start_rules.check_reserved,
    cold_start_rules.check_scaling,
    cold_start_rules.check_weights,
    cost_rules.check_snapshots,
    access_rules.check_front,
    access_rules.check_tokens,
    access_rules.check_quota,
    access_rules.check_public,
    edge_rules.check_waf,
    edge_rules.check_domain,
    edge_rules.check_key,
    edge_rules.check_tls,
    edge_rules.check_tracing,
)


def lint(project: Path, environment: str) -> list[Finding]:
    """Every setting that AWS would reject or ignore in ``environment``, errors first, then by line.

    Raises `InfraError` if the settings themselves are invalid.
    """
    path = project / SETTINGS
    settings = load_settings(path, environment)
    positions, findings = read_positions(path), []
    for endpoint in settings.endpoints:
        findings += _placed(positions, environment, endpoint.name, _problems(project, settings, endpoint))
    findings += find_leftovers(project, settings)
    return sorted(findings, key=lambda finding: (finding.severity, finding.line or 0, finding.key))


def lint_left_out(project: Path, environment: str) -> list[Finding]:
    """A note on each endpoint that a deploy of ``environment`` leaves out, by line; raises `InfraError` if the
    settings themselves are invalid."""
    path = project / SETTINGS
    settings = load_settings(path, environment)
    positions, findings = read_positions(path), []
    for endpoint, problem in find_left_out(project, settings):
        findings += _placed(positions, environment, endpoint.name, [problem])
    return sorted(findings, key=lambda finding: (finding.line or 0, finding.key))


def lint_template(
    settings_path: Path, environment: str, endpoint: Endpoint, template: Mapping[str, Any]
) -> list[Finding]:
    """Everything that AWS would reject or ignore in the finished template of ``endpoint``."""
    weighted = endpoint.settings.rollout.strategy in ("canary", "linear")
    problems = check_template(template, weighted=weighted)
    return _placed(read_positions(settings_path), environment, endpoint.name, problems)


def _placed(
    positions: Mapping[KeyPath, int], environment: str, endpoint: str, problems: Iterable[Problem]
) -> list[Finding]:
    findings = []
    for problem in dict.fromkeys(problems):
        line, key = find_origin(positions, environment, endpoint, problem.key)
        findings.append(Finding(problem.severity, endpoint, line, key, problem.what, problem.mend))
    return findings


def _problems(project: Path, settings: Settings, endpoint: Endpoint) -> Iterator[Problem]:
    for rule in RULES:
        yield from rule(settings, endpoint)
    yield from check_required(project, settings, endpoint)
    yield from check_sizes(project, settings, endpoint)
    yield from check_monitored(project, settings, endpoint)
