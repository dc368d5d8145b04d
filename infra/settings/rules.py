"""AWS's rules for settings that are more than a range. Each check raises an error that names the fault."""

import re
from collections.abc import Mapping

from pydantic_core import PydanticCustomError

from serinus.lambda_handlers.contract.signals import REQUEST_LOG_ALL

_VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]+")
_ORIGIN = re.compile(r"\*|https?://[A-Za-z0-9.-]+(?::\d{1,5})?")
_EMAIL = re.compile(r"[^@\s\"<>]+@[^@\s\"<>]+\.[^@\s\"<>]+")
_CRON = re.compile(r"cron\(\S+ \S+ (?:\? \S+ [^?\s]+|[^?\s]+ \S+ \?) \S+\)")
_TAG = re.compile(r"[\w .:/=+@-]*")

#: docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html, and the variables that Serinus sets.
RESERVED_PREFIXES = ("AWS_", "LAMBDA_", "SERINUS_", "_")
#: All variables of a function together, names and values (Lambda quota).
LARGEST_ENVIRONMENT_BYTES = 4096
#: docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
RETENTION_DAYS = (
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)
#: 50 a resource (AWS), less the ones that a stack sets itself.
MOST_TAGS = 45


def check_retention_days(days: int) -> int:
    """A retention that CloudWatch Logs supports."""
    if days not in RETENTION_DAYS:
        raise PydanticCustomError("retention_days", "is not a retention that CloudWatch Logs supports")
    return days


def check_request_log(kept: object) -> object:
    """Which requests keep a log line of their own."""
    if kept != REQUEST_LOG_ALL and not (type(kept) is int and kept >= 1):
        raise PydanticCustomError("request_log", 'is neither "all" nor a positive whole number')
    return kept


def check_variables(variables: dict[str, str]) -> dict[str, str]:
    """Environment variables that a user may give a function."""
    for name, value in variables.items():
        if name.startswith(RESERVED_PREFIXES):
            raise ValueError(f"holds {name}; names that begin with {', '.join(RESERVED_PREFIXES)} are reserved")
        if not _VARIABLE.fullmatch(name):
            raise ValueError(f"holds {name!r}; names are two or more letters, digits and _, a letter first")
        if "\0" in value:
            raise ValueError(f"holds a NUL character in {name}")
    return variables


def environment_bytes(variables: Mapping[str, str]) -> int:
    """Bytes that variables take of Lambda's 4 KB: names and values."""
    return sum(len(name.encode()) + len(value.encode()) for name, value in variables.items())


def check_origin(origin: str) -> str:
    """An origin as browsers send it: scheme, host and port, no path."""
    if not _ORIGIN.fullmatch(origin):
        raise ValueError(
            'is not an origin; allowed: such as "https://app.example.com", without a path or final slash, or "*"'
        )
    return origin


def check_origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    """Either "*" alone, or listed origins."""
    if "*" in origins and len(origins) > 1:
        raise ValueError('names "*" beside other origins; allowed: origins, or "*" alone')
    return origins


def check_schedule(schedule: dict[str, int]) -> dict[str, int]:
    """Times as Application Auto Scaling reads them: recurring, six fields."""
    for at in schedule:
        if not _CRON.fullmatch(at):
            raise ValueError(
                f'holds {at!r}; times are "cron(minutes hours day-of-month month day-of-week year)", '
                'one of the two days being ?, such as "cron(0 7 ? * MON-FRI *)"'
            )
    return schedule


def check_email(address: str) -> str:
    """An address that SNS can mail."""
    if not _EMAIL.fullmatch(address):
        raise ValueError('is not a mail address; allowed: such as "ml@example.com"')
    return address


def check_tags(tags: dict[str, str]) -> dict[str, str]:
    """Tags that CloudFormation accepts on a stack."""
    for key, value in tags.items():
        if not 1 <= len(key) <= 128 or not _TAG.fullmatch(key) or key.lower().startswith(("aws:", "serinus:")):
            raise ValueError(
                f"holds key {key!r}; keys are 1 to 128 letters, digits, spaces and . : / = + - @ _, "
                "not beginning with aws: or serinus:"
            )
        if len(value) > 256 or not _TAG.fullmatch(value):
            raise ValueError(
                f"holds {value!r} for {key}; values are up to 256 letters, digits, spaces and . : / = + - @ _"
            )
    return tags
