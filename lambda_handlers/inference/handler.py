"""The entry: `serinus.lambda_handlers.inference.handler.handler`.

Everything that can be done before a request is done on import, which Lambda calls init. The garbage collector
is held meanwhile, and what init made is then taken out of its sight: it lives as long as the process.
"""

import gc
import os
import sys

gc.disable()

if "typing_extensions" not in sys.modules:
    # msgspec takes from it what `typing` has too; hidden, it costs nothing (10 ms) until FastAPI wants it.
    sys.modules["typing_extensions"] = None  # type: ignore[assignment]
    import msgspec  # noqa: F401

    del sys.modules["typing_extensions"]

from serinus.lambda_handlers.inference.instrumented import open_reported  # noqa: E402  imported with the collector held

handler = open_reported(os.environ)

if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
    from serinus.lambda_handlers.inference import snapshot

    snapshot.prepare()

gc.freeze()
gc.enable()
