"""An endpoint behind the offline cloud's gateway: client -> HTTP -> proxy event -> worker process -> answer."""

import contextlib
import io
import json
import sys
import sysconfig
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


@contextlib.contextmanager
def behind_gateway(bundle: Path) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Gives what sends a proxy event's body through the gateway; `SystemExit` for another answer than 200."""
    import httpx

    # A benchmark may be named like a package: its folder comes first on the path of all of them.
    sys.path.insert(0, str(ROOT))
    from serinus.offline.client.session import isolated_session
    from serinus.offline.cloud.serve import running
    from serinus.offline.core.config import CloudConfig

    with running(CloudConfig(port=0)) as cloud, httpx.Client(trust_env=False, timeout=60) as client:
        session = isolated_session(cloud.config.root_key, "us-east-1")

        def service(name: str) -> Any:
            return session.client(name, endpoint_url=cloud.config.endpoint_url)

        create_function(service, bundle)
        api = create_api(service("apigateway"))
        url = f"{cloud.config.endpoint_url}/_gateway/{api}/live/predict"

        def ask(event: dict[str, Any]) -> None:
            answer = client.post(url, content=event["body"], headers={"content-type": "application/json"})
            if answer.status_code != 200:
                raise SystemExit(f"the gateway answered {answer.status_code}: {answer.text[:400]}")

        yield ask


def create_function(service: Callable[[str], Any], bundle: Path) -> None:
    """Our handler as the function `bench`, serving ``bundle`` from this checkout's packages."""
    paths = [str(ROOT), sysconfig.get_paths()["purelib"]]
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        text = (
            f"import sys\nsys.path += {paths!r}\nfrom serinus.lambda_handlers.inference.handler import handler\n"
        )
        archive.writestr("app.py", text)
    role = service("iam").create_role(RoleName="bench", AssumeRolePolicyDocument=json.dumps(_TRUST))
    functions = service("lambda")
    functions.create_function(
        FunctionName="bench",
        Runtime="python3.13",
        Role=role["Role"]["Arn"],
        Handler="app.handler",
        Code={"ZipFile": code.getvalue()},
        Environment={"Variables": {"SERINUS_MODEL_DIR": str(bundle), "OPENBLAS_NUM_THREADS": "1"}},
        MemorySize=1769,
        Timeout=29,
    )
    functions.add_permission(
        FunctionName="bench", StatementId="g", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com"
    )
    while functions.get_function(FunctionName="bench")["Configuration"]["State"] == "Pending":
        time.sleep(0.1)


def create_api(client: Any) -> str:
    """A REST API that hands POST /predict to it; returns its id. Its stage is `live`."""
    made = client.create_rest_api(name="bench")
    api: str = made["id"]
    resource = client.create_resource(restApiId=api, parentId=made["rootResourceId"], pathPart="predict")["id"]
    place = {"restApiId": api, "resourceId": resource, "httpMethod": "POST"}
    client.put_method(**place, authorizationType="NONE")
    arn = "arn:aws:lambda:us-east-1:123456789012:function:bench"
    client.put_integration(
        **place,
        type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations",
    )
    client.create_deployment(restApiId=api, stageName="live")
    return api
