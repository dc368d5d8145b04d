"""FastAPI, imported without building the models in which it would describe OpenAPI: a quarter of its import.

pydantic builds them when they are used, which ours never are: `openapi` writes the document itself.
https://docs.pydantic.dev/latest/api/config/#pydantic.config.ConfigDict.defer_build
"""

from pydantic import BaseModel

BaseModel.model_config["defer_build"] = True
try:
    import fastapi  # noqa: F401  for whoever imports it next
finally:
    del BaseModel.model_config["defer_build"]
