"""What the other services of the cloud use of Lambda, in-process and on its event loop."""

import asyncio
import collections
import pickle

import pytest

from serinus.offline.core.errors import AwsError

HANDLER = (
    "import os\ndef handler(event, context):\n    return [os.environ['AWS_LAMBDA_FUNCTION_VERSION'], event]\n"
)
REGION = "us-east-1"


@pytest.fixture
def functions(cloud):
    return cloud.services.lambda_


@pytest.fixture
def on_loop(cloud):
    """Runs a coroutine on the cloud's loop."""

    def run(work):
        return asyncio.run_coroutine_threadsafe(work, cloud.loop).result(timeout=60)

    return run


@pytest.fixture
def two_versions(aws, deploy_function):
    name = deploy_function(HANDLER, Publish=True)
    aws("lambda").update_function_configuration(FunctionName=name, Timeout=8)
    aws("lambda").publish_version(FunctionName=name)
    aws("lambda").create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    return name


def test_invoke_answers_with_bytes_and_the_version_that_ran(functions, on_loop, two_versions):
    result = on_loop(functions.invoke(two_versions, "live", b'{"a":1}', region=REGION, log_tail=True))
    assert (result.status, result.payload, result.function_error) == (200, b'["1", {"a": 1}]', None)
    assert result.executed_version == "1"
    assert f"START RequestId: {result.request_id} Version: 1" in result.log_tail


def test_invoke_raises_what_aws_answers(functions, on_loop):
    with pytest.raises(AwsError) as error:
        on_loop(functions.invoke("nobody", None, b"", region=REGION))
    assert error.value.code == "ResourceNotFoundException"


def test_a_shift_sends_traffic_to_the_other_version(functions, on_loop, two_versions):
    on_loop(functions.set_alias_weights(REGION, two_versions, "live", version="1", additional={"2": 1.0}))
    assert functions.alias(REGION, two_versions, "live").additional == {"2": 1.0}
    assert on_loop(functions.invoke(two_versions, "live", b"", region=REGION)).executed_version == "2"
    on_loop(functions.set_alias_weights(REGION, two_versions, "live", version="2", additional={}))
    assert functions.alias(REGION, two_versions, "live").version == "2"


def test_weights_hold_over_many_invocations(functions, on_loop, two_versions):
    on_loop(functions.set_alias_weights(REGION, two_versions, "live", version="1", additional={"2": 0.1}))

    async def many(runs: int) -> collections.Counter[str]:
        async def one() -> str:
            return (await functions.invoke(two_versions, "live", b"", region=REGION)).executed_version

        ran: collections.Counter[str] = collections.Counter()
        for _ in range(runs // 4):
            ran.update(await asyncio.gather(*(one() for _ in range(4))))
        return ran

    ran = on_loop(many(1000))
    assert abs(ran["2"] / 1000 - 0.1) < 5 * (0.1 * 0.9 / 1000) ** 0.5


def test_a_shift_obeys_the_rules_of_aliases(functions, on_loop, two_versions):
    with pytest.raises(AwsError, match="Function not found"):
        on_loop(functions.set_alias_weights(REGION, two_versions, "live", version="1", additional={"9": 0.5}))
    assert functions.alias(REGION, two_versions, "live").additional == {}


def test_the_resource_policy_can_be_asked(aws, functions, two_versions):
    aws("lambda").add_permission(
        FunctionName=two_versions,
        Qualifier="live",
        StatementId="api",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn="arn:aws:execute-api:us-east-1:123456789012:abc/*/POST/predict",
    )

    def asked(
        source_arn: str, qualifier: str | None = "live", principal: str = "apigateway.amazonaws.com"
    ) -> bool:
        allowed: bool = functions.allows(
            REGION, two_versions, qualifier, principal=principal, source_arn=source_arn
        )
        return allowed

    source = "arn:aws:execute-api:us-east-1:123456789012:abc/prod/POST/predict"
    assert asked(source)
    assert not asked(source.replace("POST", "GET"))
    assert not asked(source, qualifier=None)
    assert not asked(source, principal="sns.amazonaws.com")


def test_the_state_is_plain_data(functions, two_versions):
    copied = pickle.loads(pickle.dumps(functions.state))
    assert copied.region(REGION).functions[two_versions] == functions.state.region(REGION).functions[two_versions]
