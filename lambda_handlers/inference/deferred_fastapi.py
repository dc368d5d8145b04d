"""FastAPI, imported without building the models in which it would describe OpenAPI: a quarter of its import.

pydantic builds them when they are used, which ours never are: `openapi` writes the document itself. Some refer to
each other, and FastAPI asks for those to be built as soon as it is imported: that waits for their use too.
https://docs.pydantic.dev/latest/api/config/#pydantic.config.ConfigDict.defer_build

Nor does it search what is installed for plugins, of which the layer holds none: who adds one sets the variable.
https://docs.pydantic.dev/latest/concepts/plugins/ https://opentelemetry.io/docs/languages/sdk-configuration/general/
"""

import os
from typing import Any

os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
os.environ.setdefault("OTEL_PROPAGATORS", "none")

from pydantic import BaseModel

_rebuild = BaseModel.__dict__["model_rebuild"]


def _rebuild_if_used(model: type[BaseModel], /, **asked: Any) -> Any:
    """pydantic's own call, for a model that is used, says how; FastAPI's, for what might be used, says nothing."""
    return _rebuild.__func__(model, **asked) if asked else None


BaseModel.model_config["defer_build"] = True
BaseModel.model_rebuild = classmethod(_rebuild_if_used)  # type: ignore[method-assign, assignment]
try:
    import fastapi  # noqa: F401  for whoever imports it next
finally:
    BaseModel.model_rebuild = _rebuild  # type: ignore[method-assign]
    del BaseModel.model_config["defer_build"]
