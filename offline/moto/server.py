"""Removes the header of moto's server that lets pages of every origin read its responses."""

from moto.moto_server import werkzeug_app


def apply() -> None:
    """Turn off CORS for everything that moto serves."""
    werkzeug_app.DISABLE_GLOBAL_CORS = True
