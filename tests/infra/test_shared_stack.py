"""What the endpoints of an environment share: a topic that services may publish to, chats; nothing unless set."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint as cfn_lint

from serinus.infra.errors import SettingsError
from serinus.infra.settings import load_settings
from serinus.infra.synth import synthesize

PROD = '[env.prod]\naccount = "123456789012"\nregion = "eu-central-1"\n'
BASE = '[project]\nname = "shop"\n[endpoint.churn]\n' + PROD
UNMONITORED = "[defaults.monitor]\nenabled = false\n"
MAILED = '[operations]\nemails = ["ml@example.com"]\n'
SLACK = '[operations.slack]\nworkspace_id = "T0123456789"\nchannel_id = "C0123456789"\n'
GUID = "11111111-2222-3333-4444-555555555555"
TEAMS = (
    f'[operations.teams]\ntenant_id = "{GUID}"\nteam_id = "{GUID}"\nchannel_id = "19%3Aab12cd34%40thread.tacv2"\n'
)
TOPIC = "arn:aws:sns:eu-central-1:123456789012:shop-prod-shared"

Find = Callable[[dict[str, Any], str], dict[str, dict[str, Any]]]
Made = Callable[..., dict[str, Any]]


@pytest.fixture
def shared(shared_template: Made) -> Made:
    """The template of environment prod's shared stack, without a monitor."""

    def create(operations: str, endpoints: str = BASE) -> dict[str, Any]:
        return shared_template(endpoints + UNMONITORED + operations)

    return create


def properties(resources_of: Find, template: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [one["Properties"] for one in resources_of(template, kind).values()]


def synthesized(project: Any, folder: Path, environment: str) -> dict[str, dict[str, Any]]:
    assembly = synthesize(project.folder, environment, folder)
    return {
        path.name.partition(".")[0]: json.loads(path.read_bytes()) for path in assembly.glob("*.template.json")
    }


@pytest.fixture
def two_endpoints(new_project: Callable[[str], Any]) -> Callable[[str], Any]:
    def create(operations: str) -> Any:
        endpoints = "[endpoint.churn]\n[endpoint.fraud]\n"
        project = new_project(f'[project]\nname = "shop"\n{endpoints}{UNMONITORED}{PROD}{operations}')
        for environment in ("dev", "prod"):
            for model in ("churn", "fraud"):
                project.package(model, environment)
        project.build()
        return project

    return create


@pytest.mark.slow
@pytest.mark.parametrize("operations", [MAILED + SLACK + TEAMS, "[operations]\ndashboard = true\n"])
def test_cfn_lint_has_no_error_and_no_warning(shared: Made, operations: str) -> None:
    assert [str(match) for match in cfn_lint(json.dumps(shared(operations)), regions=["eu-central-1"])] == []


@pytest.mark.parametrize("environment", ["dev", "prod", "local"])
def test_nothing_is_shared_unless_set(two_endpoints: Any, tmp_path: Path, environment: str) -> None:
    templates = synthesized(two_endpoints(""), tmp_path / "out", environment)

    assert set(templates) == {f"shop-{environment}-churn", f"shop-{environment}-fraud"}
    assert "arn:aws:sns" not in json.dumps(list(templates.values()))


def test_every_alarm_of_every_endpoint_names_the_one_topic_without_a_reference_to_its_stack(
    two_endpoints: Any, tmp_path: Path, resources_of: Find
) -> None:
    templates = synthesized(two_endpoints(MAILED), tmp_path / "out", "prod")
    shared = templates.pop("shop-prod-shared")
    (topic,) = properties(resources_of, shared, "AWS::SNS::Topic")

    assert topic["TopicName"] == TOPIC.rpartition(":")[2]
    assert set(templates) == {"shop-prod-churn", "shop-prod-fraud"}
    assert "Outputs" not in shared
    for template in templates.values():
        assert "Fn::ImportValue" not in json.dumps(template)
        alarms = properties(resources_of, template, "AWS::CloudWatch::Alarm")
        assert {tuple(alarm["AlarmActions"]) for alarm in alarms} == {(TOPIC,)}
        # Each new version's own alarms begin by becoming OK, of which nobody must be notified.
        assert {alarm.get("AlarmName") for alarm in alarms if "OKActions" in alarm} == {
            alarm["AlarmName"] for alarm in alarms if "AlarmName" in alarm
        }


def test_the_cdk_deploys_it_before_the_endpoints(two_endpoints: Any, tmp_path: Path) -> None:
    synthesized(two_endpoints(MAILED), tmp_path / "out", "prod")
    artifacts = json.loads((tmp_path / "out" / "manifest.json").read_bytes())["artifacts"]

    for endpoint in ("churn", "fraud"):
        assert "shop-prod-shared" in artifacts[f"shop-prod-{endpoint}"]["dependencies"]
    assert not [one for one in artifacts["shop-prod-shared"]["dependencies"] if not one.endswith(".assets")]


def test_messages_go_to_an_encrypted_topic_that_services_may_reach(shared: Made, resources_of: Find) -> None:
    template = shared(MAILED)
    ((key, policy),) = resources_of(template, "AWS::KMS::Key").items()
    (topic,) = properties(resources_of, template, "AWS::SNS::Topic")
    (subscription,) = properties(resources_of, template, "AWS::SNS::Subscription")
    services = {
        statement["Principal"]["Service"]
        for statement in policy["Properties"]["KeyPolicy"]["Statement"]
        if "Service" in statement["Principal"]
    }

    assert topic["KmsMasterKeyId"] == {"Fn::GetAtt": [key, "Arn"]}
    assert services == {"cloudwatch.amazonaws.com", "events.amazonaws.com"}
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "ml@example.com")


def test_a_key_of_ones_own_costs_no_other(shared: Made, resources_of: Find) -> None:
    key = f"arn:aws:kms:eu-central-1:123456789012:key/{GUID}"
    template = shared(f'{MAILED}encryption_key = "{key}"\n')

    assert resources_of(template, "AWS::KMS::Key") == {}
    assert [topic["KmsMasterKeyId"] for topic in properties(resources_of, template, "AWS::SNS::Topic")] == [key]


def test_people_are_notified_of_decisions_and_ends_of_this_environments_endpoints(
    shared: Made, resources_of: Find
) -> None:
    rules = properties(resources_of, shared(MAILED), "AWS::Events::Rule")
    patterns = {rule["EventPattern"]["source"][0]: rule["EventPattern"]["detail"] for rule in rules}

    assert patterns == {
        "serinus.judge": {"function": ["shop-prod-churn"], "final": [True]},
        "aws.codedeploy": {"state": ["SUCCESS", "FAILURE", "STOP"], "application": ["shop-prod-churn"]},
        "aws.cloudformation": {
            "stack-id": [{"prefix": "arn:aws:cloudformation:eu-central-1:123456789012:stack/shop-prod-churn/"}],
            "status-details": {"status": ["ROLLBACK_FAILED", "UPDATE_ROLLBACK_FAILED", "DELETE_FAILED"]},
        },
    }
    for rule in rules:
        (target,) = rule["Targets"]
        template = target["InputTransformer"]["InputTemplate"]
        message = json.loads(re.sub(r":<[\w-]+>", ':"text"', template))
        assert (message["version"], message["source"]) == ("1.0", "custom")
        assert set(message["content"]) == {"textType", "title", "description"}


def test_patterns_of_many_endpoints_stay_within_eventbridges_limit(shared: Made, resources_of: Find) -> None:
    names = [f"m{number:02}{'x' * 37}" for number in range(60)]
    project = f'[project]\nname = "s{"p" * 15}"\n' + "".join(f"[endpoint.{name}]\n" for name in names) + PROD
    rules = properties(resources_of, shared(MAILED, project), "AWS::Events::Rule")
    patterns = [rule["EventPattern"] for rule in rules]
    listed = [name for one in patterns for name in one["detail"].get("function", ())]

    assert max(len(json.dumps(one, separators=(",", ":"))) for one in patterns) <= 2048
    assert sorted(listed) == sorted(f"s{'p' * 15}-prod-{name}" for name in names)


@pytest.mark.parametrize(
    ("table", "kind"),
    [
        (SLACK, "AWS::Chatbot::SlackChannelConfiguration"),
        (TEAMS, "AWS::Chatbot::MicrosoftTeamsChannelConfiguration"),
    ],
)
def test_a_chat_receives_the_topics_messages_and_can_do_nothing(
    shared: Made, resources_of: Find, table: str, kind: str
) -> None:
    template = shared(table)
    (channel,) = properties(resources_of, template, kind)
    ((topic, _),) = resources_of(template, "AWS::SNS::Topic").items()
    (role,) = properties(resources_of, template, "AWS::IAM::Role")

    assert channel["SnsTopicArns"] == [{"Ref": topic}]
    (guardrail,) = channel["GuardrailPolicies"]
    assert guardrail["Fn::Join"][1][-1] == ":iam::aws:policy/AWSDenyAll"
    assert not {"Policies", "ManagedPolicyArns"} & set(role)
    assert "AWS::IAM::Policy" not in {one["Type"] for one in template["Resources"].values()}


def test_no_chat_is_in_the_offline_clouds_environment(tmp_path: Path) -> None:
    (tmp_path / "serinus.toml").write_text(BASE + MAILED + SLACK + TEAMS, encoding="utf-8")
    local = load_settings(tmp_path / "serinus.toml", "local").operations

    assert (local.slack, local.teams, local.emails) == (None, None, ("ml@example.com",))
    assert load_settings(tmp_path / "serinus.toml", "dev").operations.slack is not None


def test_an_environment_may_notify_others(tmp_path: Path) -> None:
    others = '[env.prod.operations]\nemails = ["oncall@example.com"]\ndashboard = true\n'
    (tmp_path / "serinus.toml").write_text(BASE + MAILED + others, encoding="utf-8")
    dev, prod = (load_settings(tmp_path / "serinus.toml", name).operations for name in ("dev", "prod"))

    assert (dev.emails, dev.dashboard) == (("ml@example.com",), False)
    assert (prod.emails, prod.dashboard) == (("oncall@example.com",), True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[operations]\nemails = ["ml"]\n', "is not a mail address"),
        (
            '[operations.slack]\nworkspace_id = "T1"\n',
            "operations.slack.channel_id is missing; allowed: an id",
        ),
        ('[operations.slack]\nchanel_id = "C1"\n', "did you mean channel_id?"),
        (TEAMS.replace("%3A", ":"), "operations.teams.channel_id = "),
        (
            MAILED + f'encryption_key = "arn:aws:kms:us-east-1:123456789012:key/{GUID}"\n',
            "env.prod.operations.encryption_key is a key in us-east-1, and the environment is in eu-central-1",
        ),
        ("[endpoint.shared]\n", "would have the stack of what all endpoints share; choose another name"),
    ],
)
def test_bad_settings_are_refused_with_what_is_allowed(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "serinus.toml").write_text(BASE + text, encoding="utf-8")

    with pytest.raises(SettingsError, match=re.escape(said)):
        load_settings(tmp_path / "serinus.toml", "prod")
