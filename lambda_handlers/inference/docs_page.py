"""The page at /docs: one HTML file with its script, style and OpenAPI document inside, needing no other host."""

import base64
import hashlib
import html
import re
from pathlib import Path
from typing import Any

import msgspec

_TEMPLATE = Path(__file__).with_name("docs_page.html").read_text(encoding="utf-8")


def _hashes(tag: str) -> str:
    """Sources of the Content-Security-Policy for the template's inline ``tag`` elements."""
    bodies = re.findall(rf"<{tag}>(.*?)</{tag}>", _TEMPLATE, re.DOTALL)
    return " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(b.encode()).digest()).decode()}'" for b in bodies)


#: Only the page's own script and style run, and they speak only to this endpoint.
CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; script-src {_hashes('script')}; style-src {_hashes('style')}; img-src data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def render_docs(openapi: dict[str, Any]) -> bytes:
    """The page for ``openapi``, which is embedded as data. "<" is escaped: no value can end the element."""
    data = msgspec.json.encode(openapi).replace(b"<", b"\\u003c").decode()
    title = html.escape(str(openapi["info"]["title"]))
    return _TEMPLATE.replace("{{title}}", title).replace("{{openapi}}", data).encode()
