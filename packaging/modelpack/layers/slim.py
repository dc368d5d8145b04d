"""Removes files from a layer that Python never imports at run time, and adds bytecode.

From 127 to 84 MB (of 2^20 bytes, as Lambda counts) unzipped on x86_64, bytecode included (`scripts/bench layers`).
A layer's folder is read-only on Lambda: without bytecode in it, every cold start compiles every module again,
which more than doubles the time to the first answer.
"""

import os
import shutil
import subprocess
from pathlib import Path

from serinus.modelpack.errors import LayerError

#: Folders and files by pattern below the layer's root. ONNX Runtime's Python module has the whole runtime linked
#: in and never loads libonnxruntime.so; protobuf, flatbuffers and packaging serve only its tools. numpy loads the
#: parts named here when somebody asks for them (`numpy.__getattr__`, or an import by name); idna serves anyio's
#: look-ups of host names, which a function that opens no connection never makes. What is named of anyio, FastAPI
#: and Starlette starts processes, speaks TLS, or needs a package that is not there: only who names it misses it.
REMOVED = (
    "bin",
    "**/tests",
    "**/*.pyi",
    "**/*.pxd",
    "**/*.h",
    "**/*.hpp",
    "**/*.c",
    "**/*.a",
    "**/__pycache__",
    "**/*_tests.*.so",
    "numpy/_core/_simd.*",
    "numpy/_core/include",
    "numpy/_core/lib",
    "*.dist-info/RECORD",
    "*.dist-info/INSTALLER",
    "*.dist-info/REQUESTED",
    "*.dist-info/direct_url.json",
    "*.dist-info/uv_cache.json",
    "*.dist-info/uv_build.json",
    "*.dist-info/sboms",
    ".lock",
    "numpy/f2py",
    "numpy/testing",
    "numpy/conftest.py",
    "numpy/core",
    "numpy/ctypeslib",
    "numpy/doc",
    "numpy/fft",
    "numpy/lib/_user_array_impl.py",
    "numpy/lib/recfunctions.py",
    "numpy/lib/user_array.py",
    "numpy/ma",
    "numpy/matlib.py",
    "numpy/polynomial",
    "numpy/random",
    "numpy/typing/mypy_plugin.py",
    "numpy/_pyinstaller",
    "onnxruntime/backend",
    "onnxruntime/datasets",
    "onnxruntime/quantization",
    "onnxruntime/tools",
    "onnxruntime/transformers",
    "onnxruntime/capi/libonnxruntime.*",
    "google",
    "protobuf-*",
    "flatbuffers",
    "flatbuffers-*",
    "packaging",
    "packaging-*",
    "annotated_types/test_cases.py",
    "pydantic/experimental/pipeline.py",
    "pydantic/mypy.py",
    "pydantic/v1",
    "anyio/_backends/_trio.py",
    "anyio/functools.py",
    "anyio/itertools.py",
    "anyio/pytest_plugin.py",
    "anyio/streams/tls.py",
    "anyio/to_interpreter.py",
    "anyio/to_process.py",
    "idna",
    "idna-*",
    "fastapi/templating.py",
    "fastapi/testclient.py",
    "starlette/middleware/sessions.py",
    "starlette/schemas.py",
    "starlette/templating.py",
    "starlette/testclient.py",
)
#: Where Lambda unpacks layers: Python rewrites the paths in bytecode that was compiled for another path.
UNPACKED = "/opt/python"


def remove_unused(folder: Path) -> None:
    """Delete `REMOVED` from the layer in ``folder``."""
    for pattern in REMOVED:
        for path in sorted(folder.glob(pattern)):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def compile_bytecode(folder: Path, interpreter: Path, unpacked: str = UNPACKED) -> None:
    """Put .pyc files of ``interpreter``'s version beside the sources, never checked against them, so that the
    zip's timestamps do not matter; ``unpacked`` is where they will lie. Raises `LayerError` when a module
    does not compile."""
    command = [str(interpreter), "-m", "compileall", "-q", "-j", "1", "--invalidation-mode", "unchecked-hash"]
    command += ["-s", str(folder), "-p", unpacked, str(folder)]
    # A fixed seed: the order of sets of constants would differ from run to run.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment["PYTHONHASHSEED"] = "0"
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        output = (done.stdout + done.stderr).strip()[-800:]
        raise LayerError(f"{interpreter} could not compile the layer's modules:\n{output}")
