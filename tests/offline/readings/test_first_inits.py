"""The first inits of a published version are longer, as its function sees them; $LATEST's are not."""

import base64
import json
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

from serinus.offline.cloud.serve import running
from serinus.offline.core.config import CloudConfig
from serinus.offline.core.readings import Readings
from serinus.offline.sandbox.first_inits import FirstInits
from serinus.offline.sandbox.spec import Archive, FunctionSpec

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
PUBLISHED = FunctionSpec(
    region="us-east-1",
    account_id="123456789012",
    name="served",
    version="1",
    revision="r",
    runtime="python3.13",
    handler="app.handler",
    role="arn",
    memory_mb=128,
    timeout_s=3,
    code=Archive("code", "0", Path("code")),
)


def config(delay: str) -> CloudConfig:
    return CloudConfig(port=0, seed=7, readings=Readings().replaced({"first-init-delay": delay}))


def delays(delay: str, spec: FunctionSpec, count: int = 12) -> list[float]:
    inits = FirstInits(config(delay))
    return [inits.delay_s(spec) for _ in range(count)]


def test_ten_inits_of_a_version_are_longer() -> None:
    drawn = delays("1..3", PUBLISHED)
    assert drawn == delays("1..3", PUBLISHED)
    assert all(1 <= delay_s <= 3 for delay_s in drawn[:10])
    assert drawn[10:] == [0.0, 0.0]
    assert delays("1..3", replace(PUBLISHED, version="$LATEST")) == [0.0] * 12
    assert delays("0", PUBLISHED) == [0.0] * 12


def test_each_version_has_its_own_first_inits() -> None:
    inits = FirstInits(config("1.5"))
    for version in ("1", "2"):
        spec = replace(PUBLISHED, version=version)
        assert [inits.delay_s(spec) for _ in range(11)] == [1.5] * 10 + [0.0]


def test_a_published_versions_first_init_reports_the_delay(zip_of: Any) -> None:
    with running(config("0.7")) as cloud:
        name = f"first-inits-{uuid.uuid4().hex}"
        role = cloud.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
        functions = cloud.client("lambda")
        functions.create_function(
            FunctionName="served",
            Runtime="python3.13",
            Role=role["Arn"],
            Handler="app.handler",
            Code={"ZipFile": zip_of({"app.py": "def handler(event, context):\n    return 1\n"})},
            Timeout=30,
            Publish=True,
        )
        answer = functions.invoke(FunctionName="served", Qualifier="1", LogType="Tail")
    _, _, rest = base64.b64decode(answer["LogResult"]).decode().partition("Init Duration: ")
    assert float(rest.split(" ms")[0]) >= 700
