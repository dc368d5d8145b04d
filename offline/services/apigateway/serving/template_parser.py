"""Parses a mapping template into nodes; syntax outside of the modelled part is rejected by name."""

import re
from collections.abc import Sequence

from serinus.offline.core.errors import NotModelled
from serinus.offline.services.apigateway.serving.template_nodes import (
    Assignment,
    Choice,
    Comparison,
    Expression,
    LiteralValue,
    Negation,
    Reference,
    Step,
    TemplateNode,
    TemplateText,
)
from serinus.offline.services.apigateway.serving.template_values import check_method

DIRECTIVE = re.compile(r"#\{?(set|if|elseif|else|end|foreach|macro|parse|include|stop|break|define)\}?")
REFERENCE = re.compile(r"\$!?(?:\{\s*)?[A-Za-z]")
IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
OPERATOR = re.compile(r"\|\||&&|==|!=|<=|>=|<|>")
NUMBER = re.compile(r"-?\d+(\.\d+)?")
BINDING = {"||": 1, "&&": 2, "==": 3, "!=": 3, "<": 4, ">": 4, "<=": 4, ">=": 4}
OPENING = re.compile(r"\$!?(\{\s*)?")
REST_OF_LINE = re.compile(r"[ \t]*\r?\n")


class TemplateParser:
    """A cursor over a template's text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def block(self) -> tuple[list[TemplateNode], str | None]:
        """Nodes up to the directive that ends the block (elseif, else, end), or the text's end."""
        nodes: list[TemplateNode] = []
        plain_from = self.at
        while self.at < len(self.text):
            begin = self.at
            if self.text.startswith("##", begin):
                self._emit(nodes, plain_from, begin)
                self._skip_line()
            elif (directive := DIRECTIVE.match(self.text, begin)) is not None:
                self._emit(nodes, plain_from, begin)
                self.at = directive.end()
                if directive[1] in ("elseif", "else", "end"):
                    return nodes, directive[1]
                nodes.append(self._directive(directive[1]))
            elif REFERENCE.match(self.text, begin):
                self._emit(nodes, plain_from, begin)
                nodes.append(self._reference())
            else:
                self.at += 1
                continue
            plain_from = self.at
        self._emit(nodes, plain_from, self.at)
        return nodes, None

    def _emit(self, nodes: list[TemplateNode], begin: int, end: int) -> None:
        if end > begin:
            nodes.append(TemplateText(self.text[begin:end]))

    def _skip_line(self) -> None:
        end = self.text.find("\n", self.at)
        self.at = len(self.text) if end < 0 else end + 1

    def _directive(self, name: str) -> TemplateNode:
        if name == "set":
            return self._assignment()
        if name == "if":
            return self._choice()
        raise NotModelled(f"apigateway: #{name} in a mapping template")

    def _assignment(self) -> Assignment:
        self._expect("(")
        self._spaces()
        target = self._reference()
        self._expect("=")
        value = self._expression()
        self._expect(")")
        self._end_of_line()
        return Assignment(target, value)

    def _choice(self) -> Choice:
        branches: list[tuple[Expression, tuple[TemplateNode, ...]]] = []
        condition: Expression = self._condition()
        while True:
            self._end_of_line()
            nodes, end = self.block()
            branches.append((condition, tuple(nodes)))
            if end is None:
                raise NotModelled("apigateway: mapping template with an #if that has no #end")
            if end == "end":
                self._end_of_line()
                return Choice(tuple(branches))
            condition = self._condition() if end == "elseif" else LiteralValue(True)

    def _condition(self) -> Expression:
        self._expect("(")
        condition = self._expression()
        self._expect(")")
        return condition

    def _expression(self, binding: int = 1) -> Expression:
        left = self._operand()
        while True:
            self._spaces()
            operator = OPERATOR.match(self.text, self.at)
            if operator is None or BINDING[operator[0]] < binding:
                return left
            self.at = operator.end()
            left = Comparison(operator[0], left, self._expression(BINDING[operator[0]] + 1))

    def _operand(self) -> Expression:
        self._spaces()
        rest = self.text[self.at : self.at + 1]
        if rest == "!":
            self.at += 1
            return Negation(self._operand())
        if rest == "(":
            return self._condition()
        if rest in ("'", '"'):
            return self._string(rest)
        if rest == "$":
            return self._reference()
        return self._word()

    def _string(self, quote: str) -> LiteralValue:
        end = self.text.find(quote, self.at + 1)
        if end < 0:
            raise self._unmodelled()
        value = self.text[self.at + 1 : end]
        if quote == '"' and REFERENCE.search(value):
            raise NotModelled(f"apigateway: references inside a string of a mapping template ({value!r})")
        self.at = end + 1
        return LiteralValue(value)

    def _word(self) -> LiteralValue:
        number = NUMBER.match(self.text, self.at)
        if number is not None:
            self.at = number.end()
            return LiteralValue(float(number[0]) if number[1] else int(number[0]))
        for word, value in (("true", True), ("false", False)):
            if self.text.startswith(word, self.at):
                self.at += len(word)
                return LiteralValue(value)
        raise self._unmodelled()

    def _reference(self) -> Reference:
        begin = self.at
        opening = OPENING.match(self.text, begin)
        if opening is None:
            raise self._unmodelled()
        self.at = opening.end()
        name = self._identifier()
        steps = self._steps()
        if opening[1]:
            self._expect("}")
        return Reference(name, steps, self.text[begin : self.at])

    def _steps(self) -> tuple[Step, ...]:
        steps: list[Step] = []
        while self.text.startswith(".", self.at) and IDENTIFIER.match(self.text, self.at + 1):
            self.at += 1
            name = self._identifier()
            if self.text.startswith("(", self.at):
                check_method(name)
                steps.append(Step(name, tuple(self._arguments())))
            else:
                steps.append(Step(name))
        return tuple(steps)

    def _arguments(self) -> Sequence[Expression]:
        self._expect("(")
        arguments: list[Expression] = []
        self._spaces()
        while not self.text.startswith(")", self.at):
            arguments.append(self._expression())
            self._spaces()
            if self.text.startswith(",", self.at):
                self.at += 1
        self._expect(")")
        return arguments

    def _identifier(self) -> str:
        match = IDENTIFIER.match(self.text, self.at)
        if match is None:
            raise self._unmodelled()
        self.at = match.end()
        return match[0]

    def _expect(self, token: str) -> None:
        self._spaces()
        if not self.text.startswith(token, self.at):
            raise self._unmodelled()
        self.at += len(token)

    def _spaces(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def _end_of_line(self) -> None:
        match = REST_OF_LINE.match(self.text, self.at)
        if match is not None:
            self.at = match.end()

    def _unmodelled(self) -> NotModelled:
        return NotModelled(f"apigateway: mapping template syntax at {self.text[self.at : self.at + 40]!r}")
