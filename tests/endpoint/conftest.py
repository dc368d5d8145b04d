"""One endpoint in an offline cloud, as it is deployed to AWS: the handler's own files, layers as `serinus build`
makes them, a REST API that hands on every path and every body's bytes, and a key."""

import io
import json
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from serinus.infra.handler_modules import handler_files
from serinus.lambda_handlers.contract.build import BUILD_DIR, BuildManifest
from serinus.modelpack.layers import build
from serinus.modelpack.package import package
from serinus.modelpack.request import PackageRequest
from serinus.offline.cloud.cloud import Cloud
from serinus.offline.cloud.serve import running
from serinus.offline.core.config import CloudConfig

ROOT = Path(__file__).parents[2]
RUNTIME = ("python3.13", "x86_64")
STAGE = "live"
REGION = "us-east-1"
VARIABLES = {
    "SERINUS_DOCS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "SERINUS_EXPLAIN_MAX_ROWS": "5",
    "SERINUS_EXPLAIN_MAX_MS": "15000",
}


@dataclass(frozen=True, slots=True)
class Deployed:
    """An endpoint that answers: ``url`` ends with the stage; ``source`` is the model that it was made from."""

    url: str
    key: str
    source: Any
    rows: list[dict[str, Any]]
    logs: Any

    @property
    def headers(self) -> dict[str, str]:
        return {"x-api-key": self.key}

    @property
    def base(self) -> str:
        """The URL without its scheme, as tritonclient wants it."""
        return self.url.removeprefix("http://")


def train(folder: Path) -> tuple[Any, list[dict[str, Any]]]:
    """A pipeline of numbers and strings, saved with a sample of what it was trained on."""
    random = np.random.default_rng(11)
    data = pd.DataFrame(
        {
            "tenure": random.integers(1, 72, 200).astype(float),
            "charge": np.where(random.random(200) < 0.1, np.nan, random.uniform(20, 120, 200).round(2)),
            "contract": random.choice(["monthly", "one year", "two years"], 200),
        }
    )
    target = np.where((data["contract"] == "monthly") & (data["tenure"] < 40), "leaves", "stays")
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    columns = ColumnTransformer([("n", numbers, ["tenure", "charge"]), ("c", OneHotEncoder(), ["contract"])])
    model = make_pipeline(columns, LogisticRegression()).fit(data, target)
    joblib.dump(model, folder / "model.joblib")
    data.to_parquet(folder / "sample.parquet")
    rows = data.head(40).astype(object).where(data.head(40).notna(), None).to_dict("records")
    return model, rows


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    with running(CloudConfig(port=0, max_workers=4)) as started:
        yield started


@pytest.fixture(scope="session")
def deployed(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    """The endpoint `churn`, deployed once."""
    project = tmp_path_factory.mktemp("endpoint")
    source, rows = train(project)
    settings = '[project]\nname = "shop"\n[endpoint.churn.explanations]\n'
    (project / "serinus.toml").write_text(settings, encoding="utf-8")
    bundle = package(PackageRequest(project / "model.joblib", "churn", project / "sample.parquet", project)).bundle
    manifest = build(project, [RUNTIME], [bundle])
    deployment = Deployment(cloud, project)
    function = deployment.function(manifest)
    url, key = deployment.api(function)
    return Deployed(url, key, source, rows, deployment.client("logs"))


class Deployment:
    """Calls of AWS's API, as a template would come to."""

    def __init__(self, cloud: Cloud, project: Path) -> None:
        self.client = cloud.client
        self._endpoint_url = cloud.config.endpoint_url
        self._build = project / BUILD_DIR

    def function(self, manifest: BuildManifest) -> str:
        """The ARN of a function that runs the handler over the runtime's twin and the model."""
        functions = self.client("lambda")
        (runtime,), (model,) = manifest.runtime.values(), manifest.models.values()
        paths = [runtime.twin or runtime.path, model.path]
        layers = [
            functions.publish_layer_version(
                LayerName=f"l{n}", Content={"ZipFile": (self._build / path).read_bytes()}
            )
            for n, path in enumerate(paths)
        ]
        created = functions.create_function(
            FunctionName="churn",
            Runtime=f"python{sys.version_info.major}.{sys.version_info.minor}",
            Role=self._role(),
            Handler="serinus.lambda_handlers.inference.handler.handler",
            Code={"ZipFile": handler_zip()},
            Layers=[layer["LayerVersionArn"] for layer in layers],
            Timeout=20,
            MemorySize=512,
            Environment={"Variables": VARIABLES},
        )
        functions.add_permission(
            FunctionName="churn",
            StatementId="api",
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
        )
        return str(created["FunctionArn"])

    def _role(self) -> str:
        principal = {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        trust = json.dumps({"Version": "2012-10-17", "Statement": [principal]})
        created = self.client("iam").create_role(RoleName="churn", AssumeRolePolicyDocument=trust)
        arn = str(created["Role"]["Arn"])
        allowed = {"Effect": "Allow", "Action": ["logs:*"], "Resource": "*"}
        self.client("iam").put_role_policy(
            RoleName="churn",
            PolicyName="logs",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}),
        )
        return arn

    def api(self, function: str) -> tuple[str, str]:
        """URL and key of a REST API in which every path goes to ``function`` and every body is binary."""
        api = self.client("apigateway")
        api_id = api.create_rest_api(name="churn", binaryMediaTypes=["*/*"])["id"]
        (root,) = api.get_resources(restApiId=api_id)["items"]
        proxy = api.create_resource(restApiId=api_id, parentId=root["id"], pathPart="{proxy+}")["id"]
        place = {"restApiId": api_id, "resourceId": proxy, "httpMethod": "ANY"}
        api.put_method(**place, authorizationType="NONE", apiKeyRequired=True)
        uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{function}/invocations"
        api.put_integration(**place, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
        api.create_deployment(restApiId=api_id, stageName=STAGE)
        key = api.create_api_key(name="churn", enabled=True)
        plan = api.create_usage_plan(name="churn", apiStages=[{"apiId": api_id, "stage": STAGE}])
        api.create_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"], keyType="API_KEY")
        return f"{self._endpoint_url}/_gateway/{api_id}/{STAGE}", str(key["value"])


def handler_zip() -> bytes:
    """The asset of the inference function: the files that its handler imports, and no others."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        for file in handler_files(ROOT, "serinus.lambda_handlers.inference.handler"):
            archive.write(ROOT / file, str(file))
    return code.getvalue()
