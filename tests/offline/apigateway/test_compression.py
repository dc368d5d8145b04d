"""Which encoding a client accepts."""

import pytest

from serinus.offline.services.apigateway.serving.compression import accepted


@pytest.mark.parametrize(
    ("header", "encoding"),
    [
        ("gzip, deflate, br", "gzip"),
        ("deflate", "deflate"),
        ("*", "gzip"),
        ("gzip;q=0, *", "deflate"),
        ("identity", None),
        ("br", None),
        ("", None),
    ],
)
def test_the_encoding_is_chosen_from_the_header(header: str, encoding: str | None) -> None:
    assert accepted(header) == encoding
