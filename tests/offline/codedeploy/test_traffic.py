"""The steps that configurations mean, and AppSpec documents."""

import pytest

from serinus.offline.core.errors import AwsError, NotModelled
from serinus.offline.services.codedeploy.appspec import parse, read_revision, revision_of
from serinus.offline.services.codedeploy.records import LambdaTarget
from serinus.offline.services.codedeploy.traffic import check_routing, predefined, shifts_of


def test_every_predefined_configuration_ends_with_all_traffic() -> None:
    configs = predefined()
    assert len(configs) == 9
    for config in configs.values():
        check_routing(config.routing)
        assert shifts_of(config.routing)[-1].weight == 1.0


def test_an_uneven_percentage_ends_with_a_smaller_step() -> None:
    routing = {"type": "TimeBasedLinear", "timeBasedLinear": {"linearPercentage": 30, "linearInterval": 1}}
    assert [(shift.after_s, shift.weight) for shift in shifts_of(routing)] == [
        (0, 0.3),
        (60, 0.6),
        (120, 0.9),
        (180, 1.0),
    ]


def test_a_revision_reads_back_what_it_was_made_of() -> None:
    target = LambdaTarget("fn", "live", "1", "2")
    spec = read_revision(revision_of(target, {"BeforeAllowTraffic": "pre"}))
    assert (spec.target, spec.hooks) == (target, {"BeforeAllowTraffic": "pre"})


def test_keys_are_read_in_the_lower_case_of_awss_pages_too() -> None:
    spec = parse(
        """
        version: 0.0
        resources:
          - my-function:
              type: "AWS::Lambda::Function"
              properties:
                name: "fn"
                alias: "live"
                currentversion: "1"
                targetversion: "2"
        hooks:
          - BeforeAllowTraffic: pre
        """
    )
    assert spec.target == LambdaTarget("fn", "live", "1", "2")
    assert spec.hooks == {"BeforeAllowTraffic": "pre"}


@pytest.mark.parametrize("kind", ["S3", "GitHub"])
def test_revisions_elsewhere_are_refused_by_name(kind: str) -> None:
    with pytest.raises(NotModelled, match=kind):
        read_revision({"revisionType": kind})


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("a: [", "neither YAML nor JSON"),
        ("7", "one element in resources"),
        ("resources: []", "one element in resources"),
        ("resources: [{f: {type: 'AWS::ECS::Service'}}]", "AWS::Lambda::Function"),
        ("resources: [{f: {type: 'AWS::Lambda::Function'}}]", "property name is required"),
    ],
)
def test_what_is_no_appspec_is_refused(content: str, complaint: str) -> None:
    with pytest.raises(AwsError, match=complaint):
        parse(content)


def test_hooks_of_other_platforms_are_refused() -> None:
    properties = "properties: {name: f, alias: a, currentversion: 1, targetversion: 2}"
    with pytest.raises(AwsError, match="afterinstall is not a hook"):
        parse(f"resources: [{{f: {{type: 'AWS::Lambda::Function', {properties}}}}}]\nhooks: [{{AfterInstall: x}}]")
