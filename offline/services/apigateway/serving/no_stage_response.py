"""The response for a missing stage: AWS returns it before any API is involved."""

import json
import uuid

from serinus.offline.http.errors import GatewayError
from serinus.offline.http.reply import Reply


def unserved_reply(error: GatewayError) -> Reply:
    return Reply(
        error.status,
        [
            ("Content-Type", "application/json"),
            ("x-amzn-ErrorType", error.error_type),
            ("x-amzn-RequestId", str(uuid.uuid4())),
        ],
        json.dumps({"message": error.message}).encode(),
    )
