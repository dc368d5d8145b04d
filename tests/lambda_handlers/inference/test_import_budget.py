"""Which modules the handler may load, by name: its cold start is the sum of them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

EVENTS = Path(__file__).parents[2] / "events"
ROOT = Path(__file__).parents[3]
#: All that a hot request may load besides the standard library.
ALLOWED = {"serinus", "msgspec", "numpy", "onnxruntime"}
#: Parts of the standard library, and of ours, that are costly and not needed.
DENIED = {
    "asyncio",
    "dataclasses",
    "email",
    "http",
    "multiprocessing",
    "ssl",
    "typing_extensions",
    "unittest",
    "urllib.request",
    "serinus.lambda_handlers.contract.build",
    "serinus.lambda_handlers.contract.lock",
    "serinus.lambda_handlers.explain",
    "serinus.lambda_handlers.hooks",
    "serinus.lambda_handlers.inference.api",
    "serinus.lambda_handlers.inference.asgi",
    "serinus.lambda_handlers.inference.explaining",
    "serinus.lambda_handlers.inference.openapi",
}
PROGRAM = """
import json, sys
before = set(sys.modules)
from serinus.lambda_handlers.inference.handler import handler
statuses = [handler(json.loads(open(path).read()), None)["statusCode"] for path in sys.argv[1:]]
import gc
json.dump({"statuses": statuses, "modules": sorted(set(sys.modules) - before), "gc": gc.isenabled(),
           "frozen": gc.get_freeze_count()}, sys.stdout)
"""


def run_handler(folder: Path, *events: str, **environ: str) -> dict[str, Any]:
    """What a fresh process holds after it has imported the handler and answered ``events``."""
    environ = {**os.environ, "SERINUS_MODEL_DIR": str(folder), "PYTHONPATH": str(ROOT), **environ}
    command = [sys.executable, "-c", PROGRAM, *(str(EVENTS / f"{event}.json") for event in events)]
    found = subprocess.run(command, env=environ, capture_output=True, text=True, check=True, timeout=120)
    loaded: dict[str, Any] = json.loads(found.stdout.splitlines()[-1])  # after the log
    return loaded


@pytest.mark.parametrize(
    "events",
    [
        (),
        ("rest_predict", "http_predict", "rest_predict_base64"),
        ("rest_predict_invalid_rows", "rest_predict_not_json", "rest_predict_form", "rest_predict_empty"),
        ("rest_infer", "rest_infer_binary", "rest_infer_invalid_rows", "http_infer"),
        ("rest_invocations", "rest_invocations_csv", "http_invocations_split", "http_predict_gzip"),
    ],
    ids=["import", "predictions", "refusals", "open inference protocol", "mlflow and gzip"],
)
def test_the_hot_route_loads_no_more_than_it_needs(churn: Path, events: tuple[str, ...]) -> None:
    loaded = run_handler(churn, *events)
    modules = set(loaded["modules"])
    packages = {module.partition(".")[0] for module in modules}
    # Installed tools hook into every start of Python here (`__editable__` finders and the like).
    foreign = {name for name in packages - ALLOWED - set(sys.stdlib_module_names) if not name.startswith("_")}
    assert foreign == set()
    assert modules & DENIED == set()
    assert all(status in (200, 400, 415, 422) for status in loaded["statuses"])


def test_protocols_are_loaded_by_who_speaks_them(churn: Path) -> None:
    modules = run_handler(churn, "rest_predict", "http_predict")["modules"]
    assert not [name for name in modules if name.startswith("serinus.lambda_handlers.inference.protocols")]
    assert "serinus.lambda_handlers.inference.encodings" not in modules


def test_the_face_is_loaded_for_its_routes_only(churn: Path) -> None:
    loaded = run_handler(churn, "rest_get_health", "rest_predict")
    assert loaded["statuses"] == [200, 200]
    assert "fastapi" in loaded["modules"]


def test_without_the_hot_route_the_face_is_loaded_on_import(churn: Path) -> None:
    assert "fastapi" in run_handler(churn, SERINUS_HOT_ROUTE="0")["modules"]


def test_the_collector_is_back_and_what_init_made_is_out_of_its_sight(churn: Path) -> None:
    loaded = run_handler(churn, "rest_predict")
    assert loaded["gc"]
    assert loaded["frozen"] > 1000


def test_the_model_layer_is_found_on_pythons_path(churn: Path, tmp_path: Path) -> None:
    (tmp_path / "serinus_model").symlink_to(churn)
    environ = {"SERINUS_MODEL_DIR": "", "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}
    assert run_handler(churn, "rest_predict", **environ)["statuses"] == [200]
