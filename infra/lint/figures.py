"""Formats figures in a finding's sentence."""


def minutes_in_words(count: int) -> str:
    """ "1 minute", "5 minutes"."""
    return f"{count} minute{'' if count == 1 else 's'}"


def requests_in_words(count: int) -> str:
    """ "1 request", "5 requests"."""
    return f"{count} request{'' if count == 1 else 's'}"
