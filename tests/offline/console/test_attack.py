"""What a hostile page in the developer's browser can do to a running cloud, tried in a real browser: nothing."""

import http.server
import json
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from serinus.offline.cloud.cloud import Cloud

pytestmark = pytest.mark.slow

#: A stack whose custom resource would have a function run as whoever started the cloud.
TEMPLATE = {
    "Resources": {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "lambda.amazonaws.com"},
                            "Action": "sts:AssumeRole",
                        }
                    ]
                }
            },
        },
        "Run": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "python3.13",
                "Handler": "index.handler",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Code": {"ZipFile": "def handler(event, context): pass"},
            },
        },
    }
}
FORGED = (
    "AWS4-HMAC-SHA256 Credential=offline/20261130/us-east-1/{service}/aws4_request, "
    "SignedHeaders=host;x-amz-date, Signature=" + "0" * 64
)
#: Sends a request as a page can and tells what came back: "opaque" is what a page may not read.
ATTACK = """
(async () => {{
  try {{
    const answer = await fetch({url}, {{ method: {method}, mode: {mode}, headers: {headers}, body: {body} }});
    return answer.type === "opaque" ? "opaque" : `${{answer.status}} ${{await answer.text()}}`;
  }} catch (error) {{
    return `blocked: ${{error.message}}`;
  }}
}})()
"""


class Page:
    """The hostile page: open at an origin of its own, it sends what it likes."""

    def __init__(self, browser: Any, url: str) -> None:
        self._browser = browser
        browser.open(url)

    def send(
        self, url: str, *, method: str = "POST", mode: str = "cors", body: str | None = None, **headers: str
    ) -> str:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        parts = {"url": url, "method": method, "mode": mode, "headers": named, "body": body}
        told: str = self._browser.evaluate(ATTACK.format(**{k: json.dumps(v) for k, v in parts.items()}))
        return told


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a web server on this machine that has nothing to do with the cloud."""
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "index.html").write_text("<!doctype html><title>a page</title>")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture
def hostile(browser: Any, elsewhere: int) -> Page:
    return Page(browser, f"http://127.0.0.1:{elsewhere}/index.html")


def stacks(cloud: Cloud) -> set[str]:
    return {one["StackName"] for one in cloud.client("cloudformation").list_stacks()["StackSummaries"]}


def create_stack(name: str) -> str:
    return urlencode(
        {
            "Action": "CreateStack",
            "Version": "2010-05-15",
            "StackName": name,
            "Capabilities.member.1": "CAPABILITY_IAM",
            "TemplateBody": json.dumps(TEMPLATE),
        }
    )


@pytest.mark.parametrize("mode", ["no-cors", "cors"])
def test_a_page_creates_no_stack_by_a_simple_request(hostile: Page, cloud: Cloud, mode: str) -> None:
    form = "application/x-www-form-urlencoded"
    told = hostile.send(cloud.config.endpoint_url, mode=mode, body=create_stack("simple"), Content_Type=form)
    assert told.startswith("opaque" if mode == "no-cors" else "blocked")
    assert "simple" not in stacks(cloud)


def test_a_page_creates_no_stack_with_a_forged_signature(hostile: Page, cloud: Cloud) -> None:
    told = hostile.send(
        cloud.config.endpoint_url,
        body=create_stack("forged"),
        Content_Type="application/x-www-form-urlencoded",
        Authorization=FORGED.format(service="cloudformation"),
        X_Amz_Date="20261130T000000Z",
    )
    assert told.startswith("blocked")
    assert "forged" not in stacks(cloud)


@pytest.mark.parametrize(
    ("service", "method", "headers"),
    [
        ("s3", "GET", {}),
        ("sts", "POST", {"Content_Type": "application/x-www-form-urlencoded"}),
        ("ssm", "POST", {"X_Amz_Target": "AmazonSSM.DescribeParameters"}),
    ],
)
@pytest.mark.parametrize("signed", [False, True])
def test_a_page_reads_nothing(
    hostile: Page, cloud: Cloud, service: str, method: str, headers: dict[str, str], signed: bool
) -> None:
    body = {"sts": "Action=GetCallerIdentity&Version=2011-06-15", "ssm": "{}"}.get(service)
    forged = {"Authorization": FORGED.format(service=service), "X_Amz_Date": "20261130T000000Z"} if signed else {}
    told = hostile.send(f"{cloud.config.endpoint_url}/", method=method, body=body, **headers, **forged)
    assert told.startswith("blocked")


@pytest.mark.parametrize("path", ["/moto-api/reset", "/moto-api/state-manager/get-transition", "/_offline/clock"])
def test_a_page_resets_nothing_and_moves_no_clock(hostile: Page, cloud: Cloud, path: str, browser: Any) -> None:
    bucket = f"kept-{path.count('a')}{len(path)}"
    cloud.client("s3").create_bucket(Bucket=bucket)
    factor = cloud.clock.factor
    told = hostile.send(
        cloud.config.endpoint_url + path, mode="no-cors", body='{"factor": 9}', Content_Type="text/plain"
    )
    assert told == "opaque"
    assert cloud.clock.factor == factor
    assert bucket in {one["Name"] for one in cloud.client("s3").list_buckets()["Buckets"]}


def test_a_name_that_was_made_to_resolve_here_is_no_way_in(browser: Any, cloud: Cloud) -> None:
    """A page at the cloud's own port under another name: to the browser it is of the same origin."""
    rebound = f"http://rebound.example:{cloud.config.port}"
    page = Page(browser, f"{rebound}/")
    assert "Refused: the Host" in browser.text("body")
    told = page.send(f"{rebound}/", body=create_stack("rebound"), Content_Type="application/x-www-form-urlencoded")
    assert told.startswith("403")
    assert "Refused: the Host" in told
    assert "rebound" not in stacks(cloud)
    for path in ("/", "/_offline/health", "/_offline/console/overview"):
        assert page.send(rebound + path, method="GET").startswith("403")


def test_a_page_of_a_deployed_apis_users_is_let_in(
    hostile: Page, cloud: Cloud, aws: Any, deploy_function: Any
) -> None:
    """Deployed APIs are for pages elsewhere: they keep their own CORS and authorization."""
    function, gateway = deploy_function("def handler(event, context): return 'hello'"), aws("apigatewayv2")
    permission = {"StatementId": "api", "Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com"}
    aws("lambda").add_permission(FunctionName=function, **permission)
    arn = aws("lambda").get_function_configuration(FunctionName=function)["FunctionArn"]
    cors = {"AllowOrigins": ["*"]}
    api = gateway.create_api(Name="open", ProtocolType="HTTP", CorsConfiguration=cors)["ApiId"]
    target = {"IntegrationType": "AWS_PROXY", "IntegrationUri": arn, "PayloadFormatVersion": "2.0"}
    integration = gateway.create_integration(ApiId=api, **target)["IntegrationId"]
    gateway.create_route(ApiId=api, RouteKey="$default", Target=f"integrations/{integration}")
    gateway.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    told = hostile.send(f"{cloud.config.endpoint_url}/_gateway/{api}/any", method="GET")
    assert told == "200 hello"


def test_a_page_takes_no_invocation_from_a_worker(
    hostile: Page, cloud: Cloud, aws: Any, deploy_function: Any, tmp_path: Path
) -> None:
    """The Runtime API of a worker has a port of its own, which sends work to whoever asks for the next."""
    code = "import os\ndef handler(event, context): return os.environ['AWS_LAMBDA_RUNTIME_API']"
    name = deploy_function(code)
    address = json.loads(aws("lambda").invoke(FunctionName=name)["Payload"].read())
    told = hostile.send(f"http://{address}/2018-06-01/runtime/invocation/next", method="GET", mode="no-cors")
    assert told == "opaque"
    assert json.loads(aws("lambda").invoke(FunctionName=name)["Payload"].read()) == address
