"""Moto's server, without the header that lets pages of every origin read its answers."""

from moto.moto_server import werkzeug_app


def apply() -> None:
    """Turn CORS off for all that moto serves."""
    werkzeug_app.DISABLE_GLOBAL_CORS = True
