"""Mapping templates render what is modelled and refuse the rest."""

from typing import Any

import pytest

from serinus.offline.core.errors import NotModelled
from serinus.offline.services.apigateway.serving.templates import Template


def render(text: str, **scope: Any) -> str:
    return Template.parse(text).render(dict(scope))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("$who and ${who}s", "me and mes"),
        ("$unset|$!unset|", "$unset||"),
        ("costs $5", "costs $5"),
        ('#set($x = "y")[$x]', "[y]"),
        ("#if($n > 1)many#elseif($n == 1)one#{else}none#end", "one"),
        ("#if($n == 2 || $who == 'me' && !$unset)yes#end", "yes"),
        ("#if($who.startsWith('m') && ($n != 1 || $n <= 1))yes#end", "yes"),
        ("a## comment\nb", "ab"),
        ("#set($a = $who.toUpperCase())\n$a.length()", "2"),
        ("$map.get('k') $map.k", "v v"),
        ("#if($n >= 1)\n  in\n#end\nout", "  in\nout"),
    ],
)
def test_templates_render(text: str, expected: str) -> None:
    assert render(text, who="me", n=1, map={"k": "v"}) == expected


@pytest.mark.parametrize(
    "text",
    [
        "#foreach($x in $y)#end",
        "#if($x) no end",
        "#end",
        "$input.unknownMethod('x')",
        '#set($x = "with $reference")',
        "#set($x = [1, 2])",
        "#if($x ~ 1)#end",
    ],
)
def test_what_is_not_modelled_is_refused(text: str) -> None:
    with pytest.raises(NotModelled):
        Template.parse(text)


def test_properties_can_be_assigned() -> None:
    scope: dict[str, Any] = {}
    Template.parse("#set($answer.header.X-Name = 'v')").render(scope)
    assert scope == {"answer": {"header": {"X-Name": "v"}}}
