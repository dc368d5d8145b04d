"""Prepares init for SnapStart: everything ready before the snapshot, nothing in it that must not be copied.

Many environments resume one snapshot. It may hold state that is the same for all of them: the session, the parsed
signature, imported modules (FastAPI too: nobody waits for init here), the effects of a first prediction. It must
not hold state that has to differ or that ages: random state, ids, the time, credentials, AWS clients, connections.
The function holds none of these but what its telemetry has gathered, which each copy begins anew; the random
generators, which libraries seed when imported, are reseeded after each restore. docs/cold-starts.md explains the
same to users.

Imported under SnapStart only.
https://docs.aws.amazon.com/lambda/latest/dg/snapstart-uniqueness.html
"""

import importlib
import sys
from collections.abc import Callable

from snapshot_restore_py import register_after_restore, register_before_snapshot

#: Modules with a global random generator, and the function that seeds it from the system when called bare.
_GENERATORS = ("random", "numpy.random")


def prepare(load: Callable[[], object], begin_anew: Callable[[], object]) -> None:
    """Register the hooks that AWS's client runs around the snapshot; ``load`` is the function's own before it,
    ``begin_anew`` after a restore."""
    register_before_snapshot(_import_app)
    register_before_snapshot(load)
    register_after_restore(reseed)
    register_after_restore(begin_anew)


def reseed() -> None:
    """Give this environment random streams of its own; generators that are not loaded need none."""
    for name in _GENERATORS:
        if name in sys.modules:
            sys.modules[name].seed()


def _import_app() -> None:
    importlib.import_module("serinus.lambda_handlers.inference.asgi")
