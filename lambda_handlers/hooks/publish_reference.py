"""Sends the baseline of a checked version to the collector: the monitor compares with it what the version counts.

No release fails because of it: the monitor reports requests that are counted under a baseline unknown to it, and
the next deploy sends it again.
"""

import json
import time
from collections.abc import Mapping

from botocore.exceptions import BotoCoreError, ClientError

from serinus.lambda_handlers.contract import journal
from serinus.lambda_handlers.contract.bundle import BASELINE
from serinus.lambda_handlers.contract.files import Folder, read_file
from serinus.lambda_handlers.contract.monitored import ENV_COLLECTOR, KEY
from serinus.lambda_handlers.contract.release import ENV_FUNCTION
from serinus.lambda_handlers.hooks.version import Invoker

ATTEMPTS = 3
#: Seconds between attempts: a role's permissions may be seconds old.
PAUSE_S = 2.0


def publish_reference(functions: Invoker, environ: Mapping[str, str], folder: Folder) -> None:
    """Send the baseline of the bundle in ``folder`` to the collector that ``environ`` names, if any.

    The collector's work is not waited for. Failures are logged, never raised.
    """
    collector = environ.get(ENV_COLLECTOR)
    if not collector:
        return
    try:
        reference = json.loads(read_file(folder, BASELINE)).get(KEY)
    except (OSError, ValueError, AttributeError) as error:
        journal.write("the baseline was not published: it cannot be read", error=str(error))
        return
    if reference is None:
        journal.write("the baseline was not published: it has no columns to monitor. Package the model again.")
        return
    payload = json.dumps({"reference": reference, "function": environ[ENV_FUNCTION]}).encode()
    for attempt in range(1, ATTEMPTS + 1):
        try:
            functions.invoke(FunctionName=collector, InvocationType="Event", Payload=payload)
        except (ClientError, BotoCoreError) as error:
            journal.write("the baseline was not published", attempt=attempt, error=str(error))
            if attempt < ATTEMPTS:
                time.sleep(PAUSE_S)
        else:
            journal.write("the baseline was published", collector=collector, id=reference.get("id"))
            return
