"""The page in a real browser: it shows what is there, follows it, sends requests, and runs nothing it is shown."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from serinus.offline.cloud.cloud import Cloud
from serinus.offline.cloud.serve import running
from serinus.offline.core.config import CloudConfig

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.slow]

MARKUP = "<img src=x onerror='window.ran=1'>"
DOCUMENT = {
    "openapi": "3.1.0",
    "paths": {
        "/echo": {
            "post": {
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Ask"}}}}
            }
        }
    },
    "components": {
        "schemas": {
            "Ask": {
                "type": "object",
                "required": ["rows"],
                "properties": {
                    "rows": {"type": "array", "items": {"type": "number", "examples": [4.5]}},
                    "note": {"type": "string"},
                },
            }
        }
    },
}
CODE = f"""
import json
def handler(event, context):
    print({MARKUP!r}, event["body"])
    if event["path"] == "/openapi.json":
        return {{"statusCode": 200, "body": json.dumps({DOCUMENT!r})}}
    return {{"statusCode": 200, "headers": {{"Content-Type": "text/html"}}, "body": event["body"] or {MARKUP!r}}}
"""

CHOOSE = (
    "(e => {{ e.value = '/_gateway/{api}/live'; e.dispatchEvent(new Event('change')); }})"
    "(document.querySelector('#api'))"
)
APIS = "[...document.querySelectorAll('#api option')].map(e => e.value).join()"
#: Ratio of contrast by WCAG 2 of each text on the page to what lies behind it, where it is below 4.5.
FAINT = """
(() => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const linear = (c) => c <= 10 ? c / 3294 : ((c / 255 + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => [r, g, b].map(linear)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const ground = rgb(getComputedStyle(at).backgroundColor);
      if (ground.length < 4 || ground[3] > 0) return ground;
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll('body *')].filter((node) => node.checkVisibility() &&
    [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim())).map((node) => {
      const [a, b] = [light(rgb(getComputedStyle(node).color)), light(behind(node))].sort((x, y) => y - x);
      return [(a + 0.05) / (b + 0.05), node.textContent.trim().slice(0, 30)];
    }).filter(([ratio]) => ratio < 4.5);
})()
"""


@dataclass(frozen=True, slots=True)
class Served:
    """A function behind alias `live`, with an API in front that wants a key."""

    function: str
    api: str
    url: str
    key: str


@pytest.fixture
def served(aws: Callable[..., Any], cloud: Cloud, deploy_function: Any, unique_name: Any) -> Iterator[Served]:
    functions, gateway = aws("lambda"), aws("apigateway")
    function = deploy_function(CODE)
    for number in ("one", "two"):
        functions.update_function_configuration(FunctionName=function, Description=number)
        functions.publish_version(FunctionName=function, Description=f"model {number}")
    alias = functions.create_alias(FunctionName=function, Name="live", FunctionVersion="1")
    functions.add_permission(
        FunctionName=function,
        Qualifier="live",
        StatementId="api",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
    )
    api = gateway.create_rest_api(name=unique_name(f"api {MARKUP}"))["id"]
    _route(gateway, api, alias["AliasArn"], cloud.config.region)
    gateway.create_deployment(restApiId=api, stageName="live")
    key = gateway.create_api_key(name=unique_name("key"), enabled=True)
    plan = gateway.create_usage_plan(name=unique_name("plan"), apiStages=[{"apiId": api, "stage": "live"}])
    gateway.create_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"], keyType="API_KEY")
    yield Served(function, api, f"{cloud.config.endpoint_url}/_gateway/{api}/live", key["value"])
    leave = {"op": "remove", "path": "/apiStages", "value": f"{api}:live"}
    gateway.update_usage_plan(usagePlanId=plan["id"], patchOperations=[leave])
    gateway.delete_rest_api(restApiId=api)


def _route(gateway: Any, api: str, function_arn: str, region: str, **asked: Any) -> None:
    """Every path of the API to the function; callers need a key, or what is ``asked``."""
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    path = gateway.create_resource(restApiId=api, parentId=root, pathPart="{proxy+}")["id"]
    asked = asked or {"authorizationType": "NONE", "apiKeyRequired": True}
    gateway.put_method(restApiId=api, resourceId=path, httpMethod="ANY", **asked)
    gateway.put_integration(
        restApiId=api,
        resourceId=path,
        httpMethod="ANY",
        type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{function_arn}/invocations",
    )


def open_page(browser: Any, cloud: Cloud) -> None:
    """Open the page with the cloud's key, as `serinus local open` does."""
    key = cloud.config.root_key
    named = urlencode({"key": key.access_key_id, "secret": key.secret_access_key})
    browser.open(f"{cloud.config.endpoint_url}/_offline/#{named}")


@pytest.fixture
def page(browser: Any, cloud: Cloud, served: Served, until: Any) -> Any:
    """The browser at the page, which has had its first look."""
    open_page(browser, cloud)
    until(lambda: served.function in browser.text("#functions") and served.api in browser.evaluate(APIS))
    browser.evaluate(CHOOSE.format(api=served.api))
    return browser


def card(page: Any, served: Served) -> str:
    return str(
        page.evaluate(
            "[...document.querySelectorAll('#functions .card')].find(e => e.innerText.includes("
            f"{json.dumps(served.function)}))?.innerText ?? ''"
        )
    )


def choose_logs(page: Any, served: Served) -> Any:
    """Choose the log group of the function; false while it is not there."""
    return page.evaluate(
        "(option => { if (option) { option.selected = true; } return !!option; })"
        f"([...document.querySelectorAll('#log-group option')].find(e => e.text.endsWith('{served.function}')))"
    )


def test_versions_and_their_share_are_followed_as_they_shift(
    page: Any, served: Served, aws: Callable[..., Any], until: Any
) -> None:
    assert "100 %" in card(page, served)
    aws("lambda").update_alias(
        FunctionName=served.function, Name="live", RoutingConfig={"AdditionalVersionWeights": {"2": 0.3}}
    )
    until(lambda: "30 %" in card(page, served))
    for part in ("version 1", "70 %", "model one", "version 2", "model two", served.url):
        assert part in card(page, served)
    assert page.errors == []


def test_the_form_sends_with_the_key_and_shows_answer_request_and_log(
    page: Any, served: Served, until: Any
) -> None:
    assert page.evaluate("document.querySelector('#key').value") == served.key
    page.type("#path", "/echo?n=1")
    page.type("#body", '{"rows": [1, 2]}')
    page.click("#send-button")
    until(lambda: "200" in page.text("#answer"))
    assert '"rows"' in page.text("#answer pre")
    until(lambda: "POST /echo?n=1" in page.text("#requests tr:first-child"))
    page.click("#requests button")
    until(lambda: '"rows"' in page.text("#request-detail"))
    assert "version 1" in page.text("#request-detail")
    until(lambda: choose_logs(page, served))
    until(lambda: '{"rows": [1, 2]}' in page.text("#logs"))
    assert page.errors == []


def test_without_the_key_the_gateways_own_answer_is_shown(page: Any, until: Any) -> None:
    page.type("#path", "/echo")
    page.type("#key", "")
    page.click("#send-button")
    until(lambda: "Forbidden" in page.text("#answer"))


def test_the_form_signs_for_an_api_that_asks_for_it(
    page: Any, served: Served, aws: Callable[..., Any], cloud: Cloud, until: Any
) -> None:
    gateway = aws("apigateway")
    api = gateway.create_rest_api(name="signed")["id"]
    _route(gateway, api, f"{_arn_of(aws, served)}:live", cloud.config.region, authorizationType="AWS_IAM")
    gateway.create_deployment(restApiId=api, stageName="live")
    until(lambda: api in page.evaluate(APIS))
    page.evaluate(CHOOSE.format(api=api))
    assert page.text("#auth-note") == "Callers send a signature, by route."
    shown = page.evaluate("[...document.querySelectorAll('#send-form [data-for]')].filter(e => !e.hidden).length")
    assert shown == 1
    page.type("#path", "/a b/(c)%20d?z=1&a=%41")
    page.type("#body", '{"name": "Zoë"}')
    page.click("#send-button")
    until(lambda: "200" in page.text("#answer"))
    page.click("#signed")
    page.click("#send-button")
    until(lambda: "Missing Authentication Token" in page.text("#answer"))
    gateway.delete_rest_api(restApiId=api)


def _arn_of(aws: Callable[..., Any], served: Served) -> str:
    found: str = aws("lambda").get_function_configuration(FunctionName=served.function)["FunctionArn"]
    return found


def test_an_example_is_made_from_the_apis_openapi_document(page: Any, until: Any) -> None:
    page.click("#example-button")
    until(lambda: "OpenAPI" in page.text("#body-note"))
    assert page.evaluate("document.querySelector('#path').value") == "/echo"
    assert json.loads(page.evaluate("document.querySelector('#body').value")) == {"rows": [4.5]}


def test_what_was_typed_stays_while_the_page_follows(page: Any, until: Any) -> None:
    page.type("#body", "my own words")
    before = page.text("#clock")
    until(lambda: page.text("#clock") != before)
    page.evaluate("new Promise(done => setTimeout(done, 2500))")
    assert page.evaluate("document.querySelector('#body').value") == "my own words"
    assert page.evaluate("document.activeElement.id") == "body"


def test_an_alarm_that_fires_is_seen_with_its_reason(page: Any, aws: Callable[..., Any], until: Any) -> None:
    watch = aws("cloudwatch")
    watch.put_metric_alarm(
        AlarmName="page-alarm",
        AlarmDescription=f"too many {MARKUP}",
        Namespace="Test",
        MetricName="Absent",
        Statistic="Sum",
        Period=3600,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    watch.set_alarm_state(AlarmName="page-alarm", StateValue="ALARM", StateReason="because of a test")
    until(lambda: "because of a test" in page.text("#alarms"))
    assert page.text("#firing").startswith("1 of")
    watch.delete_alarms(AlarmNames=["page-alarm"])
    until(lambda: "page-alarm" not in page.text("#alarms"))


def test_markup_from_names_bodies_and_logs_is_text_and_runs_nothing(page: Any, served: Served, until: Any) -> None:
    httpx.post(f"{served.url}/markup", content=MARKUP, headers={"x-api-key": served.key}, trust_env=False)
    until(lambda: "/markup" in page.text("#requests tr:first-child"))
    page.click("#requests button")
    until(lambda: MARKUP in page.text("#request-detail"))
    page.click("#send-button")
    until(lambda: choose_logs(page, served))
    until(lambda: MARKUP in page.text("#logs"))
    assert MARKUP in page.text("#api")
    assert page.evaluate("window.ran") is None
    assert page.evaluate("document.querySelectorAll('main img').length") == 0
    assert page.errors == []


def test_every_control_has_a_name_and_every_text_can_be_read(page: Any, served: Served, until: Any) -> None:
    httpx.get(f"{served.url}/echo", headers={"x-api-key": served.key}, trust_env=False)
    until(lambda: "/echo" in page.text("#requests"))
    nameless = page.evaluate(
        "[...document.querySelectorAll('input, select, textarea')].filter(e => !e.labels.length).map(e => e.id)"
    )
    assert nameless == []
    silent = "[...document.querySelectorAll('button')].filter(e => !e.textContent.trim()).length"
    assert page.evaluate(silent) == 0
    assert page.evaluate("document.querySelectorAll('h1').length") == 1
    for scheme in ("light", "dark"):
        page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        assert page.evaluate(FAINT) == []


def test_a_name_that_was_made_to_resolve_here_gets_neither_page_nor_keys(browser: Any, cloud: Cloud) -> None:
    browser.open(f"http://rebound.example:{cloud.config.port}/_offline/")
    assert "Refused" in browser.text("body")
    browser.open(f"http://rebound.example:{cloud.config.port}/_offline/console/overview")
    assert "Refused" in browser.text("body")


def test_a_cloud_that_is_gone_is_said_to_be(browser: Any, until: Any) -> None:
    with running(CloudConfig(port=0)) as own:
        open_page(browser, own)
        until(lambda: "Nothing is deployed yet" in browser.text("main"))
        assert browser.text("#no-api") == "No API is deployed yet."
    until(lambda: "does not answer" in browser.text("#trouble"))


def test_the_key_does_not_stay_in_the_address(page: Any, cloud: Cloud) -> None:
    assert page.evaluate("location.href") == f"{cloud.config.endpoint_url}/_offline/"


def test_without_the_key_the_page_shows_nothing_until_it_is_typed_in(
    browser: Any, cloud: Cloud, served: Served, until: Any
) -> None:
    browser.open(f"{cloud.config.endpoint_url}/_offline/")
    browser.evaluate("sessionStorage.clear()")
    browser.open("about:blank")
    browser.open(f"{cloud.config.endpoint_url}/_offline/")
    displayed = "getComputedStyle(document.querySelector('{}')).display !== 'none'"
    until(lambda: browser.evaluate(displayed.format("#locked")))
    assert not browser.evaluate(displayed.format("main"))
    key = cloud.config.root_key
    browser.type("#key-id", key.access_key_id)
    browser.type("#key-secret", "guessed")
    browser.click("#key-form button")
    until(lambda: "not this cloud's" in browser.text("#locked"))
    browser.type("#key-secret", key.secret_access_key)
    browser.click("#key-form button")
    until(lambda: served.function in browser.text("#functions"))
    assert not browser.evaluate(displayed.format("#locked"))
    browser.errors.clear()  # the refusals of the wrong key
