"""Our function with each choice of its init left out in turn: a choice stays only while this shows a gain."""

from collections.abc import Callable, Mapping
from pathlib import Path

from lab import packages
from lab.contestants import Contestant, contestant_floor, copy_serinus, serinus
from lab.models import Model
from lab.store import stored

_HANDLER = "serinus/lambda_handlers/inference/handler.py"
_SESSION = "serinus/lambda_handlers/inference/session.py"
Edit = tuple[str, str, str]

#: What the variant changes in our files: file, old text, new text.
_EDITS: Mapping[str, tuple[Edit, ...]] = {
    "collector not held": ((_HANDLER, "gc.disable()\n", ""), (_HANDLER, "gc.freeze()\ngc.enable()\n", "")),
    "nothing frozen": ((_HANDLER, "gc.freeze()\n", ""),),
    "typing_extensions imported": ((_HANDLER, 'sys.modules["typing_extensions"] = None', "pass"),
                                   (_HANDLER, '    del sys.modules["typing_extensions"]\n', "")),
    "threads as ONNX Runtime chooses": (
        (_SESSION, "    options.intra_op_num_threads = threads_for(memory_mb)\n", ""),),
    # Opens the session in a thread while the rest is imported, and hands it over where it is asked for.
    "session beside imports": (
        (_HANDLER, "from serinus.lambda_handlers.inference.instrumented import open_instrumented",
         "import threading\n"
         "import onnxruntime\n"
         "from serinus.lambda_handlers.contract.model_layer import find_model_folder\n"
         "options = onnxruntime.SessionOptions()\n"
         "options.intra_op_num_threads = options.inter_op_num_threads = 1\n"
         "opened = []\n"
         "create = onnxruntime.InferenceSession\n"
         "path = find_model_folder(os.environ) + '/model.onnx'\n"
         "thread = threading.Thread(target=lambda: opened.append(\n"
         "    create(path, sess_options=options, providers=['CPUExecutionProvider'])))\n"
         "thread.start()\n"
         "onnxruntime.InferenceSession = lambda *a, **k: (thread.join(), opened[0])[1]\n"
         "from serinus.lambda_handlers.inference.instrumented import open_instrumented"),
    ),
}  # fmt: skip


def variants(model: Model) -> dict[str, Contestant]:
    """The floor, our function as it is, and each variant of it."""
    found = [
        contestant_floor(model),
        serinus(model),
        _edited(model, "no bytecode of its own", (), bytecode=False),
        serinus(model, "BLAS threads as found", {"OPENBLAS_NUM_THREADS": ""}),
        *(_edited(model, name, edits) for name, edits in _EDITS.items()),
    ]
    return {contestant.name: contestant for contestant in found}


def _edited(model: Model, name: str, edits: tuple[Edit, ...], *, bytecode: bool = True) -> Contestant:
    return serinus(model, name, task=_task(name, lambda folder: _apply(folder, edits), bytecode=bytecode))


def _task(name: str, change: Callable[[Path], None], *, bytecode: bool) -> Path:
    def make(folder: Path) -> None:
        copy_serinus(folder)
        change(folder)
        if bytecode:
            packages.compile_all(folder)

    return stored(f"task-{name.replace(' ', '-')}", (*_sources(), repr(_EDITS.get(name)), str(bytecode)), make)


def _sources() -> list[bytes]:
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        copy_serinus(Path(scratch))
        return [file.read_bytes() for file in sorted(Path(scratch).rglob("*.py"))]


def _apply(folder: Path, edits: tuple[Edit, ...]) -> None:
    for file, old, new in edits:
        text = (folder / file).read_text()
        if old not in text:
            raise SystemExit(f"{file} no longer holds {old!r}: bring benchmarks/lab/ablation.py up to date")
        (folder / file).write_text(text.replace(old, new))
