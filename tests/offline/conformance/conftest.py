"""What rules of several services are tried with: a function that does as the request says, and REST APIs."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from serinus.offline.cloud.cloud import Cloud
from serinus.offline.cloud.serve import running
from serinus.offline.core.config import CloudConfig

ACCOUNT, REGION = "123456789012", "us-east-1"

#: Answers with its event, or as the header X-Answer (JSON) says, or fails, or takes its time.
OBEDIENT = """
import json, time

def handler(event, context):
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    if "x-sleep" in headers:
        time.sleep(float(headers["x-sleep"]))
    if "x-raise" in headers:
        raise RuntimeError(headers["x-raise"])
    if "x-answer" in headers:
        return json.loads(headers["x-answer"])
    return {"statusCode": 200, "body": json.dumps(event)}
"""


@dataclass
class RestApi:
    """A REST API under construction and, once deployed, in use."""

    client: Any
    cloud: Cloud
    function: str
    id: str
    root: str
    resources: dict[str, str] = field(default_factory=dict)

    def resource(self, path: str) -> str:
        """The id of the resource at ``path``, made with its parents if missing."""
        if path in ("", "/"):
            return self.root
        if path not in self.resources:
            parent, _, part = path.rpartition("/")
            made = self.client.create_resource(restApiId=self.id, parentId=self.resource(parent), pathPart=part)
            self.resources[path] = made["id"]
        return self.resources[path]

    def method(self, path: str, http_method: str = "ANY", **settings: Any) -> dict[str, str]:
        """Put a method; returns the three names by which it is addressed."""
        place = {"restApiId": self.id, "resourceId": self.resource(path), "httpMethod": http_method}
        self.client.put_method(**place, **{"authorizationType": "NONE", **settings})
        return place

    def proxy(self, path: str, http_method: str = "ANY", *, function: str | None = None, **settings: Any) -> None:
        """A method with a Lambda proxy integration; ``timeoutInMillis`` goes to the integration."""
        integration = {name: settings.pop(name) for name in ("timeoutInMillis",) if name in settings}
        place = self.method(path, http_method, **settings)
        self.client.put_integration(
            **place,
            type="AWS_PROXY",
            integrationHttpMethod="POST",
            uri=self.uri(function or self.function),
            **integration,
        )

    def uri(self, function: str) -> str:
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}"
        return f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn}/invocations"

    def deploy(self, stage: str = "prod", **settings: Any) -> str:
        deployment: str = self.client.create_deployment(restApiId=self.id, stageName=stage, **settings)["id"]
        return deployment

    def url(self, path: str = "/", stage: str = "prod") -> str:
        return f"{self.cloud.config.endpoint_url}/_gateway/{self.id}/{stage}{path}"

    def call(
        self, http_method: str = "GET", path: str = "/", *, stage: str = "prod", **request: Any
    ) -> httpx.Response:
        return httpx.request(http_method, self.url(path, stage), timeout=30, trust_env=False, **request)

    def event(self, http_method: str = "GET", path: str = "/", **request: Any) -> dict[str, Any]:
        """The proxy event that the function got for a request."""
        answer = self.call(http_method, path, **request)
        assert answer.status_code == 200, answer.text
        event: dict[str, Any] = answer.json()
        return event

    def answer(self, result: Any, **request: Any) -> httpx.Response:
        """What a client gets when the function returns ``result``."""
        headers = {"X-Answer": json.dumps(result), **request.pop("headers", {})}
        return self.call(headers=headers, **request)


@pytest.fixture(scope="session")
def obedient_function(aws: Callable[..., Any], lambda_role: str, zip_of: Callable[..., bytes]) -> str:
    """A function that API Gateway, EventBridge and SNS may call."""
    functions, name = aws("lambda"), "obedient"
    functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=lambda_role,
        Handler="app.handler",
        Code={"ZipFile": zip_of({"app.py": OBEDIENT})},
        Timeout=20,
    )
    for service in ("apigateway", "events", "sns"):
        functions.add_permission(
            FunctionName=name,
            StatementId=service,
            Action="lambda:InvokeFunction",
            Principal=f"{service}.amazonaws.com",
        )
    return name


@pytest.fixture
def rest_api(
    aws: Callable[..., Any], cloud: Cloud, obedient_function: str, unique_name: Callable[..., str]
) -> Iterator[Callable[..., RestApi]]:
    """A factory of REST APIs, deleted after the test; keyword arguments are CreateRestApi's."""
    client, made = aws("apigateway"), []

    def make(**settings: Any) -> RestApi:
        created = client.create_rest_api(**{"name": unique_name("api"), **settings})
        made.append(created["id"])
        return RestApi(client, cloud, obedient_function, created["id"], created["rootResourceId"])

    yield make
    for api_id in made:
        client.delete_rest_api(restApiId=api_id)


@pytest.fixture
def proxy_api(rest_api: Callable[..., RestApi]) -> RestApi:
    """A deployed API that hands every path to the obedient function."""
    api = rest_api()
    api.proxy("/")
    api.proxy("/{proxy+}")
    api.deploy()
    return api


@pytest.fixture
def usage_plan(aws: Callable[..., Any], unique_name: Callable[..., str]) -> Callable[..., tuple[str, str]]:
    """Makes a key in a plan for a stage; returns plan id and the key's value."""

    def make(api: RestApi, stage: str = "prod", **plan: Any) -> tuple[str, str]:
        client = aws("apigateway")
        key = client.create_api_key(name=unique_name("key"), enabled=True)
        made = client.create_usage_plan(
            name=unique_name("plan"), apiStages=[{"apiId": api.id, "stage": stage}], **plan
        )
        client.create_usage_plan_key(usagePlanId=made["id"], keyId=key["id"], keyType="API_KEY")
        return made["id"], key["value"]

    return make


@pytest.fixture(scope="session")
def eventually() -> Callable[..., Any]:
    """Calls a probe until it returns something true, and returns that; fails after ten seconds."""

    def wait(probe: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            found = probe()
            if found:
                return found
            time.sleep(0.02)
        raise AssertionError("what was waited for did not happen within ten seconds")

    return wait


@dataclass(frozen=True)
class SteppedCloud:
    """A cloud whose clock stands still until it is stepped."""

    cloud: Cloud

    def client(self, service: str) -> Any:
        return self.cloud.client(service)

    def advance(self, seconds: float) -> None:
        """Step the clock; returns when what fell due has run."""
        answer = self.cloud.own_api().post("/clock", {"advance": seconds}, timeout_s=30)
        assert answer.status_code == 200, answer.text


@pytest.fixture(scope="session")
def stepped() -> Iterator[SteppedCloud]:
    """A second cloud, with a clock of its own."""
    with running(CloudConfig(port=0, clock_factor=0)) as cloud:
        yield SteppedCloud(cloud)


@dataclass
class HttpApi:
    """An HTTP API in use: its stage $default deploys every change by itself."""

    client: Any
    cloud: Cloud
    function: str
    id: str

    def integration(self, version: str = "2.0", function: str | None = None, **settings: Any) -> str:
        """A Lambda integration; returns what a route's ``Target`` names it by."""
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function or self.function}"
        made = self.client.create_integration(
            ApiId=self.id,
            IntegrationType="AWS_PROXY",
            IntegrationUri=arn,
            PayloadFormatVersion=version,
            **settings,
        )
        return f"integrations/{made['IntegrationId']}"

    def route(self, key: str = "$default", *, version: str = "2.0", **settings: Any) -> str:
        """A route to the obedient function; returns its id."""
        target = settings.pop("Target", None) or self.integration(version)
        made: str = self.client.create_route(ApiId=self.id, RouteKey=key, Target=target, **settings)["RouteId"]
        return made

    def url(self, path: str = "/") -> str:
        return f"{self.cloud.config.endpoint_url}/_gateway/{self.id}{path}"

    def call(self, http_method: str = "GET", path: str = "/", **request: Any) -> httpx.Response:
        return httpx.request(http_method, self.url(path), timeout=40, trust_env=False, **request)

    def event(self, http_method: str = "GET", path: str = "/", **request: Any) -> dict[str, Any]:
        """The event that the function got for a request."""
        answer = self.call(http_method, path, **request)
        assert answer.status_code == 200, answer.text
        event: dict[str, Any] = json.loads(answer.text)
        return event

    def answer(self, result: Any, **request: Any) -> httpx.Response:
        """What a client gets when the function returns ``result``."""
        headers = {"X-Answer": json.dumps(result), **request.pop("headers", {})}
        return self.call(headers=headers, **request)


@pytest.fixture
def http_api(
    aws: Callable[..., Any], cloud: Cloud, obedient_function: str, unique_name: Callable[..., str]
) -> Iterator[Callable[..., HttpApi]]:
    """A factory of HTTP APIs, deleted after the test; keyword arguments are CreateApi's."""
    client, made = aws("apigatewayv2"), []

    def make(**settings: Any) -> HttpApi:
        created = client.create_api(**{"Name": unique_name("api"), "ProtocolType": "HTTP", **settings})
        made.append(created["ApiId"])
        client.create_stage(ApiId=created["ApiId"], StageName="$default", AutoDeploy=True)
        return HttpApi(client, cloud, obedient_function, created["ApiId"])

    yield make
    for api_id in made:
        client.delete_api(ApiId=api_id)


@pytest.fixture
def open_api(http_api: Callable[..., HttpApi]) -> HttpApi:
    """An HTTP API whose every request goes to the obedient function."""
    api = http_api()
    api.route()
    return api
