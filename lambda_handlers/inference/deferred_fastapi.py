"""Imports FastAPI without building its OpenAPI models, which take a quarter of its import.

pydantic builds them on first use, and ours are never used: `openapi` writes the document itself. Some refer to
each other, and FastAPI requests those to be built on import: that is deferred to their use too.
https://docs.pydantic.dev/latest/api/config/#pydantic.config.ConfigDict.defer_build

Nor is the layer searched for plugins, since it holds none; whoever adds one sets the variable.
https://docs.pydantic.dev/latest/concepts/plugins/ https://opentelemetry.io/docs/languages/sdk-configuration/general/
"""

import os
from typing import Any

os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
os.environ.setdefault("OTEL_PROPAGATORS", "none")

from pydantic import BaseModel

_rebuild = BaseModel.__dict__["model_rebuild"]


def _rebuild_if_used(model: type[BaseModel], /, **options: Any) -> Any:
    """pydantic's own call, for a model in use, passes options; FastAPI's, for one that might be used, does not."""
    return _rebuild.__func__(model, **options) if options else None


BaseModel.model_config["defer_build"] = True
BaseModel.model_rebuild = classmethod(_rebuild_if_used)  # type: ignore[method-assign, assignment]
try:
    import fastapi  # noqa: F401  for whoever imports it next
finally:
    BaseModel.model_rebuild = _rebuild  # type: ignore[method-assign]
    del BaseModel.model_config["defer_build"]
