"""Parts that the routes of the OpenAPI document share."""

from typing import Any

from serinus.lambda_handlers.inference import problems

_REFUSALS = {
    "400": "The body is malformed, or its compression is damaged.",
    "413": "The body has too many bytes or rows, or the response would have.",
    "415": "The content type or encoding is not supported.",
    "422": "The rows do not match the signature; `errors` lists where.",
    "500": "Internal error.",
}


def ref(schema: str) -> dict[str, Any]:
    """A reference to a schema of the document."""
    return {"$ref": f"#/components/schemas/{schema}"}


def report(operation: str, summary: str, tag: str, kind: str = "object") -> dict[str, Any]:
    """A route that returns a JSON object, or another ``kind`` of document."""
    content = {"application/json": {"schema": {"type": kind}}}
    response = {"description": f"{summary}.", "content": content}
    return {"operationId": operation, "tags": [tag], "summary": summary, "responses": {"200": response}}


def problem_responses() -> dict[str, Any]:
    """The responses, by status, that every prediction may get instead of 200."""
    content = {problems.CONTENT_TYPE: {"schema": ref("Problem")}}
    return {status: {"description": text, "content": content} for status, text in _REFUSALS.items()}
