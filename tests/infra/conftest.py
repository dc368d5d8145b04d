"""A small project that can be deployed: a bundle with its true hash, a lock, and built layer zips."""

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest

# jsii's banner about Node's age would be the only output of a green run.
os.environ["JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION"] = "20"
# As in synth, which says why; one test turns it on.
os.environ["CDK_VALIDATION"] = "false"

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Template

from serinus.infra.assembly import create_app
from serinus.infra.constructs.front import Access
from serinus.infra.release import LayerZip, Release, read_release
from serinus.infra.settings import Endpoint, JwtSettings, Settings, load_settings
from serinus.infra.stacks.endpoint_stack import EndpointStack
from serinus.infra.stacks.shared_stack import SharedStack
from serinus.lambda_handlers.contract.build import (
    BUILD_DIR,
    BUILD_MANIFEST,
    BuildManifest,
    BuiltLayer,
    runtime_key,
)
from serinus.lambda_handlers.contract.bundle import (
    BASELINE,
    GOLDEN,
    GRAPH,
    MANIFEST,
    SHORT,
    Golden,
    Manifest,
    compute_version,
    dump_json,
)
from serinus.lambda_handlers.contract.lock import LOCK, Pin, read_lock, render_lock
from serinus.lambda_handlers.contract.monitored import KEY, Column, Monitored
from serinus.lambda_handlers.contract.signature import Feature, Output, Signature, Tensor
from serinus.lambda_handlers.contract.tolerance import Tolerance

SIGNATURE = Signature(
    task="regression",
    features=(Feature("age", "float32"),),
    tensors=(Tensor("X", "float32", ("age",)),),
    outputs=(Output("variable", "float32", "value", (None,)),),
)
#: By stream: at most the edge, missing, below, above.
BANDS = ((0.3, 0.7), (0.0, 0.05), (0.0, 0.05), (0.0, 0.05))
MONITORED = Monitored(
    "sample",
    (
        Column("age", "input", "number", 1, 8, (4, 0, 0, 0), BANDS, (3.0,), 0.0, 7.0),
        Column("variable", "output", "number", 1, 8, (4, 0, 0, 0), BANDS, (3.0,), 0.0, 7.0),
    ),
    {},
)
#: With all alarms, of which environment `dev` has few.
SETTINGS = 'env.dev.defaults.alarms.coverage = "full"\n[project]\nname = "shop"\n[endpoint.churn]\n'


@dataclass(frozen=True)
class Project:
    """A user's folder."""

    folder: Path

    def write_settings(self, text: str) -> None:
        (self.folder / "serinus.toml").write_text(text, encoding="utf-8")

    def package(
        self,
        model: str,
        environment: str = "dev",
        graph: bytes = b"graph",
        monitored: Monitored | None = MONITORED,
    ) -> str:
        """Write a bundle and pin it; returns its version."""
        baseline = dump_json({KEY: monitored.to_json()} if monitored else {})
        manifest = Manifest(model, "", SIGNATURE, "float32", Tolerance(), "scikit-learn").to_json()
        golden = dump_json(Golden(({"age": 40.0},), {"variable": [1.0]}).to_json())
        version = compute_version(graph, manifest, baseline, golden)
        place = f"bundles/{model}/{version[:SHORT]}"
        files = {
            GRAPH: graph,
            MANIFEST: dump_json({**manifest, "version": version}),
            BASELINE: baseline,
            GOLDEN: golden,
        }
        (self.folder / place).mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (self.folder / place / name).write_bytes(content)
        lock = read_lock(self.folder / LOCK)
        lock.setdefault(environment, {})[model] = Pin(version, place)
        (self.folder / LOCK).write_text(render_lock(lock), encoding="utf-8")
        return version

    def build(self, *, platform: tuple[str, str] = ("python3.13", "x86_64"), unzipped_bytes: int = 1000) -> None:
        """Write layer zips for one platform and every pinned bundle, and their manifest."""
        folder = self.folder / BUILD_DIR
        folder.mkdir(parents=True, exist_ok=True)
        versions = {pin.version for pins in read_lock(self.folder / LOCK).values() for pin in pins.values()}
        manifest = BuildManifest(
            runtime={runtime_key(*platform): self._zip("runtime.zip", "-".join(platform), unzipped_bytes)},
            models={version: self._zip(f"{version[:SHORT]}.zip", version, unzipped_bytes) for version in versions},
        )
        (folder / BUILD_MANIFEST).write_text(json.dumps(manifest.to_json()), encoding="utf-8")

    def release(self, environment: str = "dev") -> tuple[Settings, Endpoint, Release]:
        """Settings, first endpoint and its release, as synth reads them."""
        settings = load_settings(self.folder / "serinus.toml", environment)
        return settings, settings.endpoints[0], read_release(self.folder, settings, settings.endpoints[0])

    def _zip(self, name: str, content: str, unzipped_bytes: int) -> BuiltLayer:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr(zipfile.ZipInfo("python/content.txt"), content)
        data = buffer.getvalue()
        (self.folder / BUILD_DIR / name).write_bytes(data)
        return BuiltLayer(name, hashlib.sha256(data).hexdigest(), len(data), unzipped_bytes)


@pytest.fixture
def new_project(tmp_path: Path) -> Callable[[str], Project]:
    """Makes a project of given settings, with nothing packaged or built."""

    def create(settings: str) -> Project:
        project = Project(tmp_path)
        project.write_settings(settings)
        return project

    return create


@pytest.fixture
def project(new_project: Callable[[str], Project]) -> Project:
    """A project with one endpoint, packaged and built."""
    ready = new_project(SETTINGS)
    ready.package("churn")
    ready.build()
    return ready


@pytest.fixture(scope="session")
def template_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, Any]]:
    """The template of endpoint `churn` with these lines in its table; synthesized once for all tests."""

    @cache
    def create(table: str = "", *, graph: bytes = b"graph", hotfix: bool = False) -> dict[str, Any]:
        project = Project(tmp_path_factory.mktemp("project"))
        project.write_settings(SETTINGS + table)
        project.package("churn", graph=graph)
        project.build()
        settings, endpoint, release = project.release()
        stack = EndpointStack(create_app(), settings=settings, endpoint=endpoint, release=release, hotfix=hotfix)
        found: dict[str, Any] = Template.from_stack(stack).to_json()
        return found

    return create


@pytest.fixture(scope="session")
def shared_template(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, Any]]:
    """The template of an environment's shared stack by the text of serinus.toml."""

    def create(text: str, environment: str = "prod") -> dict[str, Any]:
        folder = tmp_path_factory.mktemp("shared")
        (folder / "serinus.toml").write_text(text, encoding="utf-8")
        (folder / "runtime.zip").write_bytes(b"a layer")
        settings = load_settings(folder / "serinus.toml", environment)
        layer = LayerZip(folder / "runtime.zip", hashlib.sha256(b"a layer").hexdigest())
        stack = SharedStack(create_app(), name=str(settings.shared_stack), settings=settings, runtime_zip=layer)
        found: dict[str, Any] = Template.from_stack(stack).to_json()
        return found

    return create


@pytest.fixture(scope="session")
def resources_of() -> Callable[[dict[str, Any], str], dict[str, dict[str, Any]]]:
    """Resources of a type, by logical id."""

    def find(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
        return {name: item for name, item in template["Resources"].items() if item["Type"] == kind}

    return find


ACCESS = Access(
    auth="api_key",
    docs=False,
    cors_origins=(),
    rate_limit_per_s=100,
    burst_limit=200,
    quota_requests=0,
    quota_period="month",
    jwt=JwtSettings(),
)
#: What a front asks in tests: it answers with the event that reached it.
ECHO = "import json\ndef handler(event, context):\n    return {'statusCode': 200, 'body': json.dumps(event)}\n"


@pytest.fixture(scope="session")
def front_template() -> Callable[..., Template]:
    """The template of a front alone, before a function that answers with its event; changes are of `Access`, and
    ``beside`` adds to the stack what concerns the front."""

    @cache
    def create(
        front: Any,
        *,
        stage: str | None = None,
        beside: Callable[[cdk.Stack, Any], None] = lambda _stack, _front: None,
        options: Any = (),
        **changes: Any,
    ) -> Template:
        stack = cdk.Stack(cdk.App(analytics_reporting=False), "Test")
        function = lambda_.Function(
            stack,
            "Function",
            code=lambda_.Code.from_inline(ECHO),
            handler="index.handler",
            runtime=lambda_.Runtime.PYTHON_3_13,
        )
        # CDK names the role there, which the function's Role property already says (cfn-lint W3005).
        cast(cdk.CfnResource, function.node.default_child).add_deletion_override("DependsOn")
        alias = lambda_.Alias(stack, "Alias", alias_name="live", version=function.current_version)
        given = {**({"stage": stage} if stage else {}), **dict(options)}
        access = replace(ACCESS, **changes)
        beside(stack, front(stack, "Front", name="shop-dev-churn", backend=alias, access=access, **given))
        return Template.from_stack(stack)

    return create
