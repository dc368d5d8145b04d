"""The entry: `serinus.lambda_handlers.inference.handler.handler`.

Everything that can be done before a request is done on import, which Lambda calls init. The garbage collector is
off meanwhile, and the objects of init are then frozen: they live as long as the process.
"""

import gc
import os
import sys

gc.disable()

if "typing_extensions" not in sys.modules:
    # msgspec uses only names of it that `typing` has too; hidden, its 10 ms are saved until FastAPI needs it.
    sys.modules["typing_extensions"] = None  # type: ignore[assignment]
    import msgspec  # noqa: F401

    del sys.modules["typing_extensions"]

from serinus.lambda_handlers.inference.instrumented import open_instrumented  # noqa: E402  imported with the collector held

handler = open_instrumented(os.environ)

if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
    from serinus.lambda_handlers.inference import snapshot

    snapshot.prepare(handler.telemetry.prepare, handler.telemetry.restored)

gc.freeze()
gc.enable()
