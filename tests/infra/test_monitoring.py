"""The monitor of an environment: its bucket, its functions, and what each may do; what an endpoint has for it."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint as cfn_lint

from serinus.infra.errors import SettingsError
from serinus.infra.lint import lint
from serinus.infra.settings import load_settings
from serinus.infra.synth import synthesize
from serinus.lambda_handlers.contract.monitored import Column, Monitored
from serinus.lambda_handlers.monitoring.monitor import read_settings

SNAPSHOT = Path(__file__).parent / "snapshots" / "shared_stack_monitor.json"
REWRITE = "SERINUS_REWRITE_SNAPSHOTS"
PROD = '[env.prod]\naccount = "123456789012"\nregion = "eu-central-1"\n'
BASE = f'[project]\nname = "shop"\n[endpoint.churn]\n[endpoint.fraud]\n{PROD}'
OFF = "[endpoint.{}.monitor]\nenabled = false\n"
KEY = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
ON = "[endpoint.churn.monitor]\nenabled = true\n"

Find = Callable[[dict[str, Any], str], dict[str, dict[str, Any]]]
Made = Callable[..., dict[str, Any]]


def of_type(resources_of: Find, template: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [one["Properties"] for one in resources_of(template, kind).values()]


def named(resources_of: Find, template: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [
        one for one in of_type(resources_of, template, "AWS::Lambda::Function") if one["FunctionName"] == name
    ]
    return found


def work_of(template: dict[str, Any], function: dict[str, Any]) -> dict[str, Any]:
    """Each action of a function's own work, and its resources: parts of the bucket by their prefix."""
    role = template["Resources"][function["Role"]["Fn::GetAtt"][0]]["Properties"]
    (work,) = [one["PolicyDocument"] for one in role["Policies"] if one["PolicyName"] == "Work"]
    allowed: dict[str, Any] = {}
    for statement in work["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        for action in actions:
            allowed.setdefault(action, []).extend(map(shown, resources))
    return allowed


def shown(resource: Any) -> str:
    if isinstance(resource, str):
        return resource
    return str(resource["Fn::Join"][1][-1]) if "Fn::Join" in resource else "the bucket"


def test_the_template_is_as_reviewed(shared_template: Made) -> None:
    rendered = json.dumps(shared_template(BASE), indent=1, sort_keys=True) + "\n"
    rendered = re.sub(r"\b[0-9a-f]{64}\b", "<sha256>", rendered)
    if os.environ.get(REWRITE):
        SNAPSHOT.write_text(rendered, encoding="utf-8")

    assert rendered == SNAPSHOT.read_text(encoding="utf-8"), f"rewrite it with {REWRITE}=1 and review the change"


def test_the_bucket_is_closed_encrypted_kept_and_forgets_by_prefix(
    shared_template: Made, resources_of: Find
) -> None:
    template = shared_template(BASE)
    ((logical_id, bucket),) = resources_of(template, "AWS::S3::Bucket").items()
    properties = bucket["Properties"]
    (policy,) = of_type(resources_of, template, "AWS::S3::BucketPolicy")
    (statement,) = policy["PolicyDocument"]["Statement"]

    assert "BucketName" not in properties
    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert properties["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    (rule,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert {
        rule["Prefix"]: rule["ExpirationInDays"] for rule in properties["LifecycleConfiguration"]["Rules"]
    } == {"lines/": 7, "hours/": 400, "state/": 400, "reports/": 400}
    assert (statement["Effect"], statement["Action"]) == ("Deny", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert template["Outputs"]["MonitorBucket"]["Value"] == {"Ref": logical_id}


def test_a_key_of_ones_own_encrypts_the_bucket_and_each_function_may_use_it_as_it_must(
    shared_template: Made, resources_of: Find
) -> None:
    template = shared_template(f'{BASE}[operations]\nencryption_key = "{KEY}"\n')
    (bucket,) = of_type(resources_of, template, "AWS::S3::Bucket")
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]

    assert rule == {
        "BucketKeyEnabled": True,
        "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY},
    }
    keys = {
        name: {
            action: where
            for action, where in work_of(
                template, named(resources_of, template, f"shop-prod-shared-{name}")
            ).items()
            if action.startswith("kms:")
        }
        for name in ("collector", "monitor")
    }
    assert keys == {
        "collector": {"kms:GenerateDataKey": [KEY]},
        "monitor": {"kms:Decrypt": [KEY], "kms:GenerateDataKey": [KEY]},
    }


def test_the_collector_writes_lines_and_references_and_reads_nothing(
    shared_template: Made, resources_of: Find
) -> None:
    template = shared_template(BASE)
    collector = named(resources_of, template, "shop-prod-shared-collector")

    assert work_of(template, collector) == {"s3:PutObject": ["/lines/*", "/references/*"]}
    assert collector["Handler"] == "serinus.lambda_handlers.monitoring.collector.handler"
    assert "Layers" not in collector
    assert set(collector["Environment"]["Variables"]) == {"SERINUS_BUCKET"}


def test_the_monitor_may_do_what_it_calls_and_no_more(shared_template: Made, resources_of: Find) -> None:
    template = shared_template(BASE)
    monitor = named(resources_of, template, "shop-prod-shared-monitor")

    assert {action: sorted(where) for action, where in work_of(template, monitor).items()} == {
        "s3:ListBucket": ["the bucket"],
        "s3:GetObject": ["/*"],
        "s3:PutObject": ["/hours/*", "/reports/*", "/state/*"],
        "cloudwatch:GetMetricData": ["*"],
        "events:PutEvents": ["arn:aws:events:eu-central-1:123456789012:event-bus/default"],
    }
    assert len(monitor["Layers"]) == 1


def test_logs_of_this_environments_endpoints_may_invoke_the_collector(
    shared_template: Made, resources_of: Find
) -> None:
    permissions = of_type(resources_of, shared_template(BASE), "AWS::Lambda::Permission")
    (permission,) = [one for one in permissions if one["Principal"] == "logs.amazonaws.com"]

    assert permission["SourceAccount"] == "123456789012"
    assert permission["SourceArn"] == "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/shop-prod-*:*"


def test_a_failed_look_is_not_repeated_and_a_failed_batch_is(shared_template: Made, resources_of: Find) -> None:
    template = shared_template(BASE)
    attempts = {
        template["Resources"][one["FunctionName"]["Ref"]]["Properties"]["FunctionName"]: one[
            "MaximumRetryAttempts"
        ]
        for one in of_type(resources_of, template, "AWS::Lambda::EventInvokeConfig")
    }
    (rule,) = [one for one in of_type(resources_of, template, "AWS::Events::Rule") if "ScheduleExpression" in one]

    assert attempts == {"shop-prod-shared-collector": 2, "shop-prod-shared-monitor": 0}
    assert rule["ScheduleExpression"] == "cron(10 * * * ? *)"
    (target,) = rule["Targets"]
    assert target["RetryPolicy"] == {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 600}


def test_the_monitor_reads_its_variable_as_the_settings_say(shared_template: Made, resources_of: Find) -> None:
    table = '[endpoint.churn.monitor]\nseason = "week"\nignore = ["customer_id"]\n'
    template = shared_template(BASE + table)
    variables = named(resources_of, template, "shop-prod-shared-monitor")["Environment"]["Variables"]
    churn, fraud = read_settings(variables)

    assert (churn.function, churn.alias, churn.ignored) == ("shop-prod-churn", "live", frozenset({"customer_id"}))
    assert (churn.clocks.season, churn.clocks.rows) == ("week", "clustered")
    assert (fraud.function, fraud.clocks.season, fraud.ignored) == ("shop-prod-fraud", "day", frozenset())
    assert json.loads(variables["SERINUS_MONITORED"])["shop-prod-fraud"] == {}


def test_a_monitor_that_fell_silent_and_batches_that_were_lost_are_alarms(
    shared_template: Made, resources_of: Find
) -> None:
    mailed = '[operations]\nemails = ["ml@example.com"]\n'
    alarms = {
        alarm["AlarmName"]: alarm
        for alarm in of_type(resources_of, shared_template(BASE + mailed), "AWS::CloudWatch::Alarm")
    }
    silent, lost = alarms["shop-prod-shared-monitor"], alarms["shop-prod-shared-collector"]

    assert (silent["TreatMissingData"], silent["EvaluationPeriods"]) == ("breaching", 3)
    assert (silent["ComparisonOperator"], silent["Threshold"]) == ("LessThanThreshold", 1)
    assert {query["MetricStat"]["Period"] for query in silent["Metrics"] if "MetricStat" in query} == {3600}
    assert (lost["MetricName"], lost["TreatMissingData"]) == ("AsyncEventsDropped", "notBreaching")
    for alarm in (silent, lost):
        assert alarm["AlarmActions"] == alarm["OKActions"]
        assert alarm["AlarmActions"] == ["arn:aws:sns:eu-central-1:123456789012:shop-prod-shared"]


def test_people_are_notified_of_findings_on_monitored_endpoints_only(
    shared_template: Made, resources_of: Find
) -> None:
    mailed = '[operations]\nemails = ["ml@example.com"]\n'
    rules = of_type(resources_of, shared_template(BASE + mailed + OFF.format("fraud")), "AWS::Events::Rule")
    (rule,) = [one for one in rules if one.get("EventPattern", {}).get("source") == ["serinus.monitor"]]

    assert rule["EventPattern"]["detail-type"] == ["Model Monitor Finding"]
    assert rule["EventPattern"]["detail"] == {"function": ["shop-prod-churn"]}
    (target,) = rule["Targets"]
    assert set(target["InputTransformer"]["InputPathsMap"].values()) == {"$.detail.title", "$.detail.text"}


def test_an_environment_without_monitored_endpoints_has_no_shared_stack(tmp_path: Path) -> None:
    file = tmp_path / "serinus.toml"
    file.write_text(BASE + OFF.format("churn") + OFF.format("fraud"), encoding="utf-8")

    assert load_settings(file, "prod").shared_stack is None
    assert [load_settings(file, name).monitored for name in ("dev", "local")] == [(), ()]
    file.write_text(BASE + OFF.format("churn"), encoding="utf-8")
    assert [one.name for one in load_settings(file, "prod").monitored] == ["fraud"]
    assert load_settings(file, "prod").shared_stack == "shop-prod-shared"


def test_an_unmonitored_endpoint_has_nothing_for_a_monitor(template_of: Made, resources_of: Find) -> None:
    template = template_of()

    assert resources_of(template, "AWS::Logs::SubscriptionFilter") == {}
    assert "SERINUS_PROFILE" not in json.dumps(template)
    assert "SERINUS_COLLECTOR" not in json.dumps(template)
    assert "collector" not in json.dumps(template)


def test_a_monitored_endpoint_sends_its_counts_to_the_collector_by_name(
    template_of: Made, resources_of: Find
) -> None:
    template = template_of(ON)
    (subscription,) = of_type(resources_of, template, "AWS::Logs::SubscriptionFilter")
    group = template["Resources"][subscription["LogGroupName"]["Ref"]]["Properties"]["LogGroupName"]
    (drift,) = [
        alarm
        for alarm in of_type(resources_of, template, "AWS::CloudWatch::Alarm")
        if alarm.get("AlarmName") == "shop-dev-churn-drift"
    ]

    assert group == "/aws/lambda/shop-dev-churn"
    assert subscription["FilterPattern"] == "{ $.Profile = 1 }"
    assert subscription["DestinationArn"]["Fn::Join"][1][-1] == ":function:shop-dev-shared-collector"
    assert (drift["MetricName"], drift["Namespace"], drift["TreatMissingData"]) == (
        "Findings",
        "Serinus",
        "ignore",
    )
    assert drift["Dimensions"] == [{"Name": "FunctionName", "Value": "shop-dev-churn"}]
    assert "Fn::ImportValue" not in json.dumps(template)


def test_its_function_counts_and_both_checks_may_send_the_baseline(template_of: Made, resources_of: Find) -> None:
    template = template_of(ON)
    functions = {one["FunctionName"]: one for one in of_type(resources_of, template, "AWS::Lambda::Function")}

    assert functions["shop-dev-churn"]["Environment"]["Variables"]["SERINUS_PROFILE"] == "1"
    collectors = {
        name: one["Environment"]["Variables"]["SERINUS_COLLECTOR"]
        for name, one in functions.items()
        if "SERINUS_COLLECTOR" in one.get("Environment", {}).get("Variables", {})
    }
    checks = {"CodeDeployHook_before_shop-dev-churn", "shop-dev-churn-first"}
    assert collectors == dict.fromkeys(checks, "shop-dev-shared-collector")
    for name in checks:
        assert ":function:shop-dev-shared-collector" in work_of(template, functions[name])["lambda:InvokeFunction"]


@pytest.mark.slow
def test_cfn_lint_has_no_error_and_no_warning(shared_template: Made, template_of: Made) -> None:
    for template in (shared_template(BASE), shared_template(f'{BASE}[operations]\nencryption_key = "{KEY}"\n')):
        assert [str(match) for match in cfn_lint(json.dumps(template), regions=["eu-central-1"])] == []
    assert [str(match) for match in cfn_lint(json.dumps(template_of(ON)), regions=["eu-central-1"])] == []


def test_the_shared_stack_is_deployed_first_and_has_the_runtime_layer_of_the_first_endpoint(
    new_project: Callable[[str], Any], tmp_path: Path, resources_of: Find
) -> None:
    project = new_project(BASE + OFF.format("churn"))
    for model in ("churn", "fraud"):
        project.package(model, "prod")
    project.build()
    assembly = synthesize(project.folder, "prod", tmp_path / "out")
    artifacts = json.loads((assembly / "manifest.json").read_bytes())["artifacts"]
    templates = {
        name: json.loads((assembly / f"shop-prod-{name}.template.json").read_bytes())
        for name in ("churn", "fraud", "shared")
    }

    assert "shop-prod-shared" in artifacts["shop-prod-fraud"]["dependencies"]
    (layer,) = of_type(resources_of, templates["shared"], "AWS::Lambda::LayerVersion")
    own = of_type(resources_of, templates["fraud"], "AWS::Lambda::LayerVersion")
    assert layer["Content"] in [one["Content"] for one in own]
    assert resources_of(templates["churn"], "AWS::Logs::SubscriptionFilter") == {}
    assert len(resources_of(templates["fraud"], "AWS::Logs::SubscriptionFilter")) == 1


#: By stream: at most the edge, missing, below, above.
BANDS = ((0.3, 0.7), (0.0, 0.05), (0.0, 0.05), (0.0, 0.05))
MONITORED = Monitored(
    "sample",
    (Column("customer_id", "input", "number", 1, 8, (4, 0, 0, 0), BANDS, (3.0,), 0.0, 7.0),),
    {"note": "free text"},
)


@pytest.fixture
def linted(new_project: Callable[[str], Any]) -> Callable[..., list[str]]:
    """The findings of an endpoint in `prod` with these lines in its monitor's table."""

    def run(table: str, monitored: Monitored | None = MONITORED) -> list[str]:
        text = f'[project]\nname = "shop"\n[endpoint.churn]\n{PROD}[endpoint.churn.monitor]\n{table}'
        project = new_project(text)
        project.package("churn", "prod", monitored=monitored)
        project.build()
        return [f"{one.severity}: {one}" for one in lint(project.folder, "prod")]

    return run


def test_a_column_that_the_model_does_not_have_is_an_error(linted: Callable[..., list[str]]) -> None:
    (finding,) = linted('ignore = ["custommer_id"]\n')
    assert finding.startswith(
        "error: line 8: endpoint.churn.monitor.ignore: the model has no column 'custommer_id'"
    )
    assert "did you mean 'customer_id'?" in finding
    assert linted('ignore = ["note"]\n') == []


def test_a_monitor_without_anything_to_compare_is_a_warning(linted: Callable[..., list[str]]) -> None:
    (finding,) = linted("", monitored=None)
    assert finding.startswith("warning:")
    assert "no column that can be compared" in finding
    (finding,) = linted('ignore = ["customer_id"]\n')
    assert "names every column" in finding
    assert linted("enabled = false\n", monitored=None) == []


def test_more_endpoints_than_the_monitors_variables_hold_are_an_error(tmp_path: Path) -> None:
    names = [f"m{number:02}{'x' * 37}" for number in range(80)]
    file = tmp_path / "serinus.toml"
    file.write_text(
        '[project]\nname = "s"\n' + "".join(f"[endpoint.{name}]\n" for name in names) + PROD, encoding="utf-8"
    )
    with pytest.raises(SettingsError, match="is one of 80 monitored endpoints of environment prod") as refusal:
        load_settings(file, "prod")
    assert "monitor.enabled = false" in str(refusal.value)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('season = "month"\n', '"day", "week", "none"'),
        ('rows = "alike"\n', '"clustered", "independent"'),
        ('ignore = "customer_id"\n', "a list of the model's columns"),
        ("enable = true\n", "did you mean enabled?"),
    ],
)
def test_bad_settings_are_refused_with_what_is_allowed(tmp_path: Path, table: str, said: str) -> None:
    file = tmp_path / "serinus.toml"
    file.write_text(f"{BASE}[endpoint.churn.monitor]\n{table}", encoding="utf-8")
    with pytest.raises(SettingsError) as refusal:
        load_settings(file, "prod")
    assert said in str(refusal.value)
