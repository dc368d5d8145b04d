"""Mapping templates: the subset of Velocity that CORS preflights and simple mocks use.

Text, references with properties and a few methods, #set, #if/#elseif/#else and ## comments. Other syntax is
rejected by name when the template is put, rather than rendered wrongly.
Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
"""

from dataclasses import dataclass

from serinus.offline.core.errors import NotModelled
from serinus.offline.services.apigateway.serving.template_nodes import TemplateNode
from serinus.offline.services.apigateway.serving.template_parser import TemplateParser
from serinus.offline.services.apigateway.serving.template_values import Scope


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template."""

    nodes: tuple[TemplateNode, ...]

    @classmethod
    def parse(cls, text: str) -> "Template":
        """Parse ``text``; raises `NotModelled` naming the first construct outside of the modelled part."""
        parser = TemplateParser(text)
        nodes, end = parser.block()
        if end is not None:
            raise NotModelled(f"apigateway: mapping template with an unmatched #{end}")
        return cls(tuple(nodes))

    def render(self, scope: Scope) -> str:
        """The template's output; ``scope`` holds the root variables and keeps what #set assigns."""
        return "".join(node.render(scope) for node in self.nodes)
