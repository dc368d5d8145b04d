"""Content negotiation: the weighted lists of Accept and Accept-Encoding (RFC 9110, section 12.4.2)."""

from collections.abc import Sequence


def weights(header: str) -> dict[str, float]:
    """Each name of a weighted list, in lower case, with its weight from 0 to 1; an unreadable one counts as 0."""
    return dict(_weight(part) for part in header.lower().split(","))


def choose_media(accept: str | None, offered: Sequence[str]) -> str | None:
    """The media type among ``offered`` (the first is the server's default) that ``accept`` prefers; None if it
    accepts none of them."""
    if accept is None or not accept.strip():
        return offered[0]
    accepted = weights(accept)
    best = max(offered, key=lambda media: _weight_of(accepted, media))  # the first of equals
    return best if _weight_of(accepted, best) > 0 else None


def _weight_of(accepted: dict[str, float], media: str) -> float:
    """The weight of the most specific range that matches."""
    for name in (media, f"{media.partition('/')[0]}/*", "*/*"):
        if name in accepted:
            return accepted[name]
    return 0.0


def _weight(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip() for piece in part.split(";"))
    for parameter in parameters:
        if parameter.startswith("q="):
            return name, _number(parameter[2:])
    return name, 1.0


def _number(text: str) -> float:
    if len(text) > 5 or not text.isascii() or not text.replace(".", "", 1).isdigit():
        return 0.0
    return min(float(text), 1.0)
