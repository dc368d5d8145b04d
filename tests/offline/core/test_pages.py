"""Long lists come in pages, and a token that no page was given is refused by name."""

import pytest
from botocore.exceptions import ClientError

from serinus.offline.core.errors import AwsError
from serinus.offline.core.pages import page

UNKNOWN = AwsError("InvalidToken", "unknown")


def test_pages_follow_each_other_to_the_end():
    token, seen = None, []
    for _ in range(3):
        shown, more = page(range(7), 3, token, member="Next", unknown=UNKNOWN)
        seen.append(list(shown))
        token = more.get("Next")
    assert (seen, token) == ([[0, 1, 2], [3, 4, 5], [6]], None)


def test_a_full_last_page_has_no_next():
    assert page("abcd", 2, "2", member="Next", unknown=UNKNOWN) == ("cd", {})


@pytest.mark.parametrize(
    ("service", "operation", "token", "code"),
    [
        ("lambda", "list_functions", "Marker", "InvalidParameterValueException"),
        ("cloudwatch", "describe_alarms", "NextToken", "InvalidNextToken"),
        ("codedeploy", "list_applications", "nextToken", "InvalidNextTokenException"),
        ("events", "list_rules", "NextToken", "ValidationException"),
        ("apigateway", "get_rest_apis", "position", "BadRequestException"),
        ("apigatewayv2", "get_apis", "NextToken", "BadRequestException"),
    ],
)
def test_a_token_that_no_page_was_given_is_refused(aws, service, operation, token, code):
    with pytest.raises(ClientError) as refused:
        getattr(aws(service), operation)(**{token: "soon"})
    assert refused.value.response["Error"]["Code"] == code
    assert "soon" in refused.value.response["Error"]["Message"]
