"""Compiles the functions' own code to bytecode, which otherwise took a tenth of every cold start.

Synth cannot compile it, because its Python is rarely the target's.
"""

import shutil
from pathlib import Path

from serinus.lambda_handlers.contract.build import CODE_DIR, function_sources
from serinus.modelpack.layers import slim
from serinus.modelpack.layers.interpreters import find_interpreter
from serinus.modelpack.layers.targets import lambda_target
from serinus.modelpack.temporary_folder import TemporaryFolder

#: Where Lambda unpacks a function's own code.
UNPACKED = "/var/task"


def compile_code(folder: Path, runtime: str) -> Path | None:
    """Copy the handlers' package with bytecode for ``runtime`` ("python3.13") into build folder ``folder`` and
    return the copy's root; without an interpreter of that version, copy nothing and return None.

    Raises `LayerError` where a module does not compile.
    """
    root = folder / CODE_DIR / runtime
    interpreter = find_interpreter(lambda_target(runtime, "x86_64").python)
    if interpreter is None:
        shutil.rmtree(root, ignore_errors=True)
        return None
    sources, files = function_sources()
    root.parent.mkdir(exist_ok=True)
    with TemporaryFolder(within=folder) as scratch:
        draft = scratch / runtime
        for file in files:
            (draft / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(sources / file, draft / file)
        slim.compile_bytecode(draft, interpreter, unpacked=UNPACKED)
        shutil.rmtree(root, ignore_errors=True)
        draft.rename(root)
    return root
