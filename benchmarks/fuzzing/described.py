"""Requests that schemathesis makes from the endpoint's own OpenAPI document: some fit it, some do not."""

import json
from dataclasses import replace
from typing import Any

import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis import GenerationMode

from fuzzing.target import Handler, Request
from serinus.lambda_handlers.inference.protocols.infer_request import HEADER_JSON_BYTES

_BASE = "http://endpoint"
_FITTING = GenerationMode.POSITIVE


def read_document(handler: Handler) -> dict[str, Any]:
    """The document at /openapi.json."""
    document: dict[str, Any] = json.loads(handler(Request("GET", "/openapi.json").event(), None)["body"])
    return document


def examples(document: dict[str, Any]) -> dict[str, Any]:
    """The good JSON body of each POST route, by path."""
    posts = {path: route["post"] for path, route in document["paths"].items() if "post" in route}
    bodies = {path: post["requestBody"] for path, post in posts.items() if "requestBody" in post}
    return {path: body["content"]["application/json"]["example"] for path, body in bodies.items()}


def strategies(document: dict[str, Any]) -> dict[tuple[str, str], st.SearchStrategy[Request]]:
    """By operation ("POST /predict") and mode ("positive", "negative"): what makes its requests."""
    schema = schemathesis.openapi.from_dict({**document, "servers": [{"url": "/"}]})
    made: dict[tuple[str, str], st.SearchStrategy[Request]] = {}
    for result in schema.get_all_operations():
        operation = result.ok()
        for mode in _FITTING, GenerationMode.NEGATIVE:
            if mode is GenerationMode.NEGATIVE and operation.method.upper() == "GET":
                continue  # nothing in them that could be wrong
            strategy = operation.as_strategy(generation_mode=mode).map(_request)
            made[operation.label, mode.value] = strategy.map(_without_length) if mode is _FITTING else strategy
    return made


def _without_length(request: Request) -> Request:
    """The document cannot say that a length of the JSON has to be right: made up, it would hide all else."""
    headers = {name: value for name, value in request.headers.items() if name.lower() != HEADER_JSON_BYTES}
    return replace(request, headers=headers)


def _request(case: Any) -> Request:
    """The request as `requests` would put it on the wire."""
    sent = case.as_transport_kwargs(base_url=_BASE)
    kept = {
        name: sent[name] for name in ("method", "headers", "data", "json", "files") if sent.get(name) is not None
    }
    prepared = requests.Request(url=_BASE + case.formatted_path, **kept).prepare()
    body = prepared.body or b""
    headers = {
        name: value if isinstance(value, str) else value.decode("latin-1")
        for name, value in prepared.headers.items()
    }
    return Request(
        prepared.method or "", case.formatted_path, headers, body.encode() if isinstance(body, str) else body
    )
