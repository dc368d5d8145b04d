"""Identity sources: the parts of a request that an authorizer reads."""

import re

from serinus.offline.http.api_documents import bad_request

SOURCE = re.compile(r"^\$request\.(?P<place>header|querystring)\.(?P<name>[\w\-.]+)$")


def check_source(source: str) -> None:
    if not SOURCE.match(source):
        raise bad_request(
            f"Invalid identity source: {source}; expected $request.header.NAME or $request.querystring.NAME"
        )
