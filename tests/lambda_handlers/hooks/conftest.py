"""A release in miniature: real bundles behind real endpoints, and AWS clients that check what they are asked."""

import io
import json
import math
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import botocore.session
import onnx
import pytest
import yaml
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator
from onnx import TensorProto, helper

from serinus.lambda_handlers.contract.acceptance import Acceptance
from serinus.lambda_handlers.contract.bundle import Golden, Manifest, compute_version, dump_json
from serinus.lambda_handlers.contract.monitored import KEY, Monitored
from serinus.lambda_handlers.contract.prediction_bins import bins_between
from serinus.lambda_handlers.contract.signature import Feature, Output, Signature, Tensor
from serinus.lambda_handlers.contract.tolerance import Tolerance
from serinus.lambda_handlers.hooks.clients import Clients, HookContext
from serinus.lambda_handlers.inference.endpoint import open_endpoint

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC).timestamp()
BINS = bins_between("value", range(1, 10))
FUNCTION, ALIAS, STABLE, CANARY, DEPLOYMENT = "shop-dev-churn", "live", "6", "7", "d-ABCDEFGHI"


@pytest.fixture(scope="session")
def sum_bundle(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Writes a bundle whose model adds its two features; ``golden_error`` is added to what it promises."""

    def write(
        name: str,
        *,
        golden_error: float = 0.0,
        features: tuple[Feature, ...] | None = None,
        monitored: Monitored | None = None,
        acceptance: Acceptance | None = None,
    ) -> Path:
        chosen = features or (Feature("a", "float32"), Feature("b", "float32"))
        tensor = Tensor("X", "float32", tuple(feature.name for feature in chosen))
        signature = Signature("regression", chosen, (tensor,), (Output("value", "float32", "value", (None, 1)),))
        rows = [{feature.name: float(row) for feature in chosen} for row in range(8)]
        outputs = {"value": [[row * len(chosen) + golden_error] for row in range(8)]}
        folder = tmp_path_factory.mktemp(name)
        profile = {"name": name, "prediction_bins": BINS.to_json()}
        profile |= {KEY: monitored.to_json()} if monitored else {}
        graph, baseline = _sum_graph(len(chosen)), dump_json(profile)
        golden = dump_json(Golden(tuple(rows), outputs, acceptance).to_json())
        manifest = Manifest("churn", "", signature, "float32", Tolerance(), "tests").to_json()
        manifest["version"] = compute_version(graph, manifest, baseline, golden)
        (folder / "model.onnx").write_bytes(graph)
        (folder / "model.json").write_bytes(dump_json(manifest))
        (folder / "baseline.json").write_bytes(baseline)
        (folder / "golden.json").write_bytes(golden)
        return folder

    return write


def _sum_graph(width: int) -> bytes:
    axes = helper.make_tensor("axes", TensorProto.INT64, [1], [1])
    graph = helper.make_graph(
        [helper.make_node("ReduceSum", ["X", "axes"], ["value"], keepdims=1)],
        "sum",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, width])],
        [helper.make_tensor_value_info("value", TensorProto.FLOAT, [None, 1])],
        [axes],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


@lru_cache
def _service_model(name: str) -> Any:
    return botocore.session.get_session().get_service_model(name)


class Service:
    """Base of the fakes: each operation's parameters must be what botocore's model of the service takes."""

    name: str

    def check(self, operation: str, parameters: dict[str, Any]) -> None:
        report = ParamValidator().validate(
            parameters, _service_model(self.name).operation_model(operation).input_shape
        )
        assert not report.has_errors(), report.generate_report()

    def error(self, operation: str, code: str) -> ClientError:
        return ClientError({"Error": {"Code": code, "Message": code}}, operation)


class FakeFunctions(Service):
    """Lambda: ``answers`` hold what each qualifier runs; an exception is raised, a dict is a function error."""

    name = "lambda"

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.cold = False

    def invoke(self, **parameters: Any) -> dict[str, Any]:
        self.check("Invoke", parameters)
        assert parameters["FunctionName"] == FUNCTION
        event = json.loads(parameters["Payload"])
        self.events.append((parameters["Qualifier"], event))
        result = self.answers[parameters["Qualifier"]](event)
        answer: dict[str, Any] = {"FunctionError": "Unhandled"} if "errorMessage" in result else {}
        if self.cold and isinstance(result.get("headers"), dict):
            result = result | {"headers": result["headers"] | {"x-serinus-cold-start": "1"}}
        return answer | {"Payload": io.BytesIO(json.dumps(result).encode())}

    def throttle(self, _event: dict[str, Any]) -> dict[str, Any]:
        raise self.error("Invoke", "TooManyRequestsException")


class FakeCloudWatch(Service):
    name = "cloudwatch"

    def __init__(self) -> None:
        self.samples: list[tuple[tuple[str, str, frozenset[tuple[str, str]]], float, float]] = []
        self.reads = 0
        self.put: list[dict[str, Any]] = []

    def add(self, namespace: str, metric: str, dimensions: dict[str, str], at: float, values: list[float]) -> None:
        key = (namespace, metric, frozenset(dimensions.items()))
        self.samples += [(key, at, value) for value in values]

    def put_metric_data(self, **parameters: Any) -> None:
        self.check("PutMetricData", parameters)
        self.put.append(parameters)

    def get_metric_data(self, **parameters: Any) -> dict[str, Any]:
        """One query a page, to see that pages are followed."""
        self.check("GetMetricData", parameters)
        self.reads += 1
        queries = parameters["MetricDataQueries"]
        page = int(parameters.get("NextToken", "0"))
        more = {"NextToken": str(page + 1)} if page + 1 < len(queries) else {}
        start, end = parameters["StartTime"].timestamp(), parameters["EndTime"].timestamp()
        return {"MetricDataResults": [self._result(queries[page], start, end)]} | more

    def _result(self, query: dict[str, Any], start: float, end: float) -> dict[str, Any]:
        stat, metric = query["MetricStat"], query["MetricStat"]["Metric"]
        dimensions = frozenset((one["Name"], one["Value"]) for one in metric["Dimensions"])
        periods: dict[float, list[float]] = {}
        for key, at, value in self.samples:
            if key == (metric["Namespace"], metric["MetricName"], dimensions) and start <= at < end:
                periods.setdefault(at // stat["Period"] * stat["Period"], []).append(value)
        times = sorted(periods)
        return {
            "Id": query["Id"],
            "Timestamps": [datetime.fromtimestamp(at, UTC) for at in times],
            "Values": [_statistic(stat["Stat"], periods[at]) for at in times],
        }


def _statistic(name: str, values: list[float]) -> float:
    if between := re.fullmatch(r"TC\(([\d.]+):([\d.]+)\)", name):
        return sum(float(between[1]) < value <= float(between[2]) for value in values)
    if percentile := re.fullmatch(r"p(\d+)", name):
        return sorted(values)[math.ceil(int(percentile[1]) / 100 * len(values)) - 1]
    return float(len(values)) if name == "SampleCount" else sum(values)


class FakeCodeDeploy(Service):
    name = "codedeploy"

    def __init__(self) -> None:
        self.in_progress = True
        self.rollback = False
        self.creator = "CloudFormation"
        self.versions = (STABLE, CANARY)
        self.weight = 0.1
        #: Where not None, only the AppSpec names the versions, in this form.
        self.app_spec_form: str | None = None
        self.traffic_at: float | None = START
        self.switched_at: float | None = None
        self.confirming = False
        self.reports: list[dict[str, Any]] = []

    def list_deployments(self, **parameters: Any) -> dict[str, Any]:
        self.check("ListDeployments", parameters)
        return {"deployments": [DEPLOYMENT] if self.in_progress else []}

    def get_deployment(self, **parameters: Any) -> dict[str, Any]:
        self.check("GetDeployment", parameters)
        rollback = {"rollbackTriggeringDeploymentId": "d-1"} if self.rollback else {}
        info = {"creator": self.creator, "rollbackInfo": rollback, "revision": self._revision()}
        return {"deploymentInfo": info}

    def _revision(self) -> dict[str, Any]:
        name = (
            f"arn:aws:lambda:us-east-1:123456789012:function:{FUNCTION}"
            if self.app_spec_form == "arn"
            else FUNCTION
        )
        properties = {
            "Name": name,
            "Alias": ALIAS,
            "CurrentVersion": self.versions[0],
            "TargetVersion": self.versions[1],
        }
        resource = {"Type": "AWS::Lambda::Function", "Properties": properties}
        document = {"version": 0.0, "Resources": [{"AliasOfFunction": resource}], "Hooks": []}
        content = yaml.safe_dump(document) if self.app_spec_form == "yaml" else json.dumps(document)
        if self.app_spec_form == "none":
            return {}
        member = "string" if self.app_spec_form == "raw string" else "appSpecContent"
        return {"revisionType": "AppSpecContent", member: {"content": content}}

    def list_deployment_targets(self, **parameters: Any) -> dict[str, Any]:
        self.check("ListDeploymentTargets", parameters)
        return {"targetIds": [f"{FUNCTION}:{ALIAS}"]}

    def batch_get_deployment_targets(self, **parameters: Any) -> dict[str, Any]:
        self.check("BatchGetDeploymentTargets", parameters)
        traffic: dict[str, Any] = {"lifecycleEventName": "AllowTraffic"}
        if self.traffic_at is not None:
            traffic["startTime"] = datetime.fromtimestamp(self.traffic_at, UTC)
        if self.switched_at is not None:
            traffic["endTime"] = datetime.fromtimestamp(self.switched_at, UTC)
        after = {
            "lifecycleEventName": "AfterAllowTraffic",
            "status": "InProgress" if self.confirming else "Pending",
        }
        info = {
            "functionName": FUNCTION,
            "functionAlias": ALIAS,
            "currentVersion": self.versions[0],
            "targetVersion": self.versions[1],
            "targetVersionWeight": self.weight,
        }
        named = {} if self.app_spec_form else {"lambdaFunctionInfo": info}
        return {"deploymentTargets": [{"lambdaTarget": {**named, "lifecycleEvents": [traffic, after]}}]}

    def put_lifecycle_event_hook_execution_status(self, **parameters: Any) -> dict[str, Any]:
        self.check("PutLifecycleEventHookExecutionStatus", parameters)
        execution = parameters["lifecycleEventHookExecutionId"]
        if any(one["lifecycleEventHookExecutionId"] == execution for one in self.reports):
            raise self.error("PutLifecycleEventHookExecutionStatus", "LifecycleEventAlreadyCompletedException")
        self.reports.append(parameters)
        return {}


class FakeEvents(Service):
    name = "events"

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []

    def put_events(self, **parameters: Any) -> dict[str, Any]:
        self.check("PutEvents", parameters)
        self.entries += parameters["Entries"]
        return {"FailedEntryCount": 0, "Entries": []}


class FakeParameters(Service):
    name = "ssm"

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def put_parameter(self, **parameters: Any) -> None:
        self.check("PutParameter", parameters)
        self.values[parameters["Name"]] = parameters["Value"]

    def get_parameter(self, **parameters: Any) -> dict[str, Any]:
        self.check("GetParameter", parameters)
        if parameters["Name"] not in self.values:
            raise self.error("GetParameter", "ParameterNotFound")
        return {"Parameter": {"Value": self.values[parameters["Name"]]}}

    def delete_parameter(self, **parameters: Any) -> None:
        self.check("DeleteParameter", parameters)
        del self.values[parameters["Name"]]


class Release:
    """A release of ``CANARY`` over ``STABLE``, and what its hooks see."""

    function, alias, stable, canary, deployment, start = FUNCTION, ALIAS, STABLE, CANARY, DEPLOYMENT, START

    def __init__(self, bundle: Path) -> None:
        self.functions, self.cloudwatch = FakeFunctions(), FakeCloudWatch()
        self.codedeploy, self.events, self.ssm = FakeCodeDeploy(), FakeEvents(), FakeParameters()
        self.environ = {
            "SERINUS_MODEL_DIR": str(bundle),
            "SERINUS_FUNCTION": FUNCTION,
            "SERINUS_ALIAS": ALIAS,
            "SERINUS_APPLICATION": "shop",
            "SERINUS_DEPLOYMENT_GROUP": "churn",
            "SERINUS_BAKE_MINUTES": "15",
            "SERINUS_VERSION": CANARY,
        }

    @property
    def context(self) -> HookContext:
        clients = Clients(self.functions, self.codedeploy, self.cloudwatch, self.events, self.ssm)
        return HookContext(clients, self.environ)

    def shift_all(self, minutes: float = 15) -> None:
        """All traffic has moved after a bake of so many minutes, and the hook after it is asked."""
        self.codedeploy.switched_at, self.codedeploy.confirming = START + 60 * minutes, True

    @property
    def hook_event(self) -> dict[str, str]:
        return {"DeploymentId": DEPLOYMENT, "LifecycleEventHookExecutionId": "hook-1"}

    def get_remaining_time_in_millis(self) -> int:
        return 60_000

    def event_at(self, minute: float, second: float = 20) -> dict[str, str]:
        """The judge's event in a minute after the start."""
        moment = datetime.fromtimestamp(START + 60 * minute + second, UTC)
        return {"time": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}

    def traffic(self, version: str, minute: int, requests: int, *, weighted: bool = True, **events: Any) -> None:
        """Metrics of ``requests`` in a minute after the start: counts of errors, crashes, rejected, non_finite;
        ``duration_ms`` of all; ``inits_ms`` and ``predictions`` as they came."""
        at = START + 60 * minute + 5
        own = {"FunctionName": FUNCTION, "FunctionVersion": version}
        alias = {"FunctionName": FUNCTION, "Resource": f"{FUNCTION}:{ALIAS}"}
        add = self.cloudwatch.add
        crashes = events.get("crashes", 0)
        for lambdas in [alias, alias | {"ExecutedVersion": version}][: 1 + weighted]:
            add("AWS/Lambda", "Invocations", lambdas, at, [1.0] * requests)
            add("AWS/Lambda", "Errors", lambdas, at, [1.0] * crashes + [0.0] * (requests - crashes))
            add("AWS/Lambda", "Duration", lambdas, at, [events.get("duration_ms", 8.0)] * requests)
        add("Serinus", "Latency", own, at, [9.0] * (requests - crashes))
        for metric in ("errors", "rejected", "non_finite"):
            hits = events.get(metric, 0)
            name = {"errors": "Errors", "rejected": "Rejected", "non_finite": "NonFinite"}[metric]
            add("Serinus", name, own, at, [1.0] * hits + [0.0] * (requests - crashes - hits))
        add("Serinus", "Init", own, at, events.get("inits_ms", []))
        add("Serinus", "First", own, at, [1.0] * events.get("first", 0))
        bins = {"Bins": events.get("bins", BINS.id)}
        add("Serinus", "Prediction", own | bins, at, events.get("predictions", []))


@pytest.fixture
def serve(sum_bundle: Callable[..., Path]) -> Iterator[Callable[..., Callable[[dict[str, Any]], dict[str, Any]]]]:
    """Opens a bundle's real endpoint as a version of the function."""
    with ExitStack() as opened:

        def open_version(bundle: Path, version: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
            endpoint = open_endpoint({"SERINUS_MODEL_DIR": str(bundle), "AWS_LAMBDA_FUNCTION_VERSION": version})
            opened.callback(endpoint.close)
            return lambda event: endpoint(event, None)

        yield open_version


@pytest.fixture
def release(sum_bundle: Callable[..., Path], serve: Callable[..., Any]) -> Release:
    """A release in which all is well: both versions answer, the canary serves the released bundle."""
    bundle = sum_bundle("released")
    found = Release(bundle)
    found.functions.answers[STABLE] = serve(sum_bundle("live"), STABLE)
    found.functions.answers[CANARY] = found.functions.answers[ALIAS] = serve(bundle, CANARY)
    return found


@pytest.fixture
def switched(release: Release) -> Release:
    """A blue_green release whose traffic has all moved and whose last hook waits."""
    release.environ["SERINUS_STRATEGY"] = "blue_green"
    release.codedeploy.switched_at = release.start
    release.codedeploy.confirming = True
    held = {"deployment_id": release.deployment, "execution_id": "hook-2"}
    release.ssm.values[f"/serinus/{release.function}/held-deployment"] = json.dumps(held)
    for minute in range(-30, 0):
        release.traffic(release.stable, minute, 200, weighted=False, errors=2)
    return release
