"""Hostile requests, in-process: made from the endpoint's own OpenAPI document, and by hand."""
