"""What the CDK library reads from the environment when it is loaded, set so that it loads on any machine."""

import os
import stat
import sys
from pathlib import Path

_SWITCH, _ROOT = "JSII_RUNTIME_PACKAGE_CACHE", "JSII_RUNTIME_PACKAGE_CACHE_ROOT"


def prepare_cdk_library() -> None:
    """Set the variables that the CDK library reads when it is loaded; the user's own stay."""
    # The value is the Node release not to warn about; people who deploy a model cannot act on the banner.
    os.environ["JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION"] = "20"
    # Its check of finished templates takes longer than all of synth (1.6 s of 3 s); our constructs' templates pass
    # it, and cfn-lint, in our tests.
    os.environ.setdefault("CDK_VALIDATION", "false")
    # The library raises where its cache cannot be used, as in a container whose user has no home. Without a cache
    # it takes three seconds longer.
    if _SWITCH not in os.environ and not os.environ.get(_ROOT) and not is_private(_default_cache()):
        os.environ[_SWITCH] = "disabled"


def _default_cache() -> Path:
    caches = ("Library", "Caches", "com.amazonaws.jsii") if sys.platform == "darwin" else (".cache", "aws", "jsii")
    return Path("~").joinpath(*caches, "package-cache")


def is_private(folder: Path) -> bool:
    """Whether ``folder`` exists or could be made, and no other user can write to it or exchange a parent: jsii's
    condition for its cache."""
    trusted = {0, os.getuid()}
    try:
        folder = folder.expanduser().resolve()
        for parent in (*reversed(folder.parents), folder):
            if not parent.exists():
                parent.mkdir(mode=0o700, exist_ok=True)
            status = parent.lstat()
            is_shared = status.st_mode & 0o022 and not (status.st_mode & stat.S_ISVTX and parent != folder)
            if is_shared or status.st_uid not in trusted or not stat.S_ISDIR(status.st_mode):
                return False
        return os.access(folder, os.W_OK | os.X_OK) and folder.stat().st_uid == os.getuid()
    except (OSError, RuntimeError):  # RuntimeError: a user without a home
        return False
