"""Finds a function's model layer on Python's path, wherever layers are unpacked."""

import sys
from collections.abc import Mapping

from serinus.lambda_handlers.contract.bundle import GRAPH, MODEL_PACKAGE
from serinus.lambda_handlers.contract.errors import ContractError
from serinus.lambda_handlers.contract.files import holds, path_in
from serinus.lambda_handlers.contract.signals import ENV_MODEL_DIR


def find_model_folder(environ: Mapping[str, str]) -> str:
    """The folder of the model layer: SERINUS_MODEL_DIR, or else the first ``serinus_model`` on Python's path.
    Raises `ContractError` if there is none."""
    if folder := environ.get(ENV_MODEL_DIR):
        return folder
    for entry in sys.path:
        folder = path_in(entry, MODEL_PACKAGE)
        if holds(folder, GRAPH):
            return folder
    raise ContractError(
        f"no folder {MODEL_PACKAGE} with a {GRAPH} is on Python's path: the model layer is not attached to "
        "this function. Deploy the endpoint again."
    )
