"""The entry: `lambda_handlers.inference.handler.handler`.

Everything that can be done before a request is done on import, which Lambda calls init. The garbage collector
is held meanwhile, and what init made is then taken out of its sight: it lives as long as the process.
"""

import gc
import os

gc.disable()

from lambda_handlers.inference.endpoint import open_endpoint  # noqa: E402  imports are what the collector is held for

handler = open_endpoint(os.environ)

gc.freeze()
gc.enable()
