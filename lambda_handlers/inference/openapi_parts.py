"""Parts that the routes of the OpenAPI document have in common."""

from typing import Any

from serinus.lambda_handlers.inference import problems

_REFUSALS = {
    "400": "The body is not what its type says, or its compression is damaged.",
    "413": "The body has too many bytes or rows, or the answer would.",
    "415": "The content type or encoding is not supported.",
    "422": "The rows do not fit the signature; `errors` says where.",
    "500": "The model could not be run.",
}


def ref(schema: str) -> dict[str, Any]:
    """A reference to a schema of the document."""
    return {"$ref": f"#/components/schemas/{schema}"}


def report(operation: str, summary: str, tag: str) -> dict[str, Any]:
    """A route that tells something as JSON."""
    content = {"application/json": {"schema": {"type": "object"}}}
    answer = {"description": f"{summary}.", "content": content}
    return {"operationId": operation, "tags": [tag], "summary": summary, "responses": {"200": answer}}


def problem_answers() -> dict[str, Any]:
    """The answers, by status, that every prediction may get instead of 200."""
    content = {problems.CONTENT_TYPE: {"schema": ref("Problem")}}
    return {status: {"description": text, "content": content} for status, text in _REFUSALS.items()}
