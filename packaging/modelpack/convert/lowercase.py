"""Text is lower-cased before the graph, by Python, as the source does it.

ONNX's StringNormalizer lowers letter by letter and by a locale that the machine must have: by the C locale ASCII
alone, by C.UTF-8 neither a final sigma nor a dotted I as Python does, and en_US.UTF-8, its default, is missing on
small systems. So the graph takes text that is lowered already, from an input that says so.
"""

from typing import Any

#: Key of the graph's metadata under which the input is named whose strings have to come in lower case.
LOWERCASE = "serinus.lowercase"
#: The input's name where the graph needs the strings as they are, too.
LOWERED = "lowered"
PLAIN = "strings"
#: Operators that move strings and change none.
_MOVING = ("Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Gather")


def take_lowered(graph: Any) -> None:
    """Let what StringNormalizer lowered come from an input `lowered`, and drop the operator, whose stop words are
    whole rows of text. Raises ValueError where other operators change the text first."""
    producers = {output: node for node in graph.node for output in node.output}
    nodes: list[Any] = []
    for node in graph.node:
        if node.op_type == "StringNormalizer":
            name = node.input[0] if _is_case_sensitive(node) else _lowered(node.input[0], producers, nodes)
            node = _renamed(node, name)
        nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)


def declare_lowered(graph: Any) -> str | None:
    """The input that has to come in lower case, None where no node takes one. It is `strings` itself where nothing
    takes those as they are."""
    used = {name for node in graph.node for name in node.input}
    if LOWERED not in used:
        return None
    if PLAIN in used:
        declared = next(value for value in graph.input if value.name == PLAIN)
        graph.input.add().CopyFrom(declared)
        graph.input[-1].name = LOWERED
        return LOWERED
    for node in graph.node:
        node.input[:] = [PLAIN if name == LOWERED else name for name in node.input]
    return PLAIN


def _is_case_sensitive(node: Any) -> bool:
    """Whether the vectorizer was told to leave the case alone: skl2onnx writes the operator for its stop words."""
    return any(attribute.name == "is_case_sensitive" and attribute.i for attribute in node.attribute)


def _lowered(name: str, producers: dict[str, Any], nodes: list[Any]) -> str:
    """The tensor ``name`` of lowered text: the nodes that make it, again, from the other input on."""
    if name == PLAIN:
        return LOWERED
    node = producers.get(name)
    if node is None or node.op_type not in _MOVING:
        raise ValueError(f"text is lower-cased behind {node.op_type if node is not None else 'another step'}")
    copy = type(node)()
    copy.CopyFrom(node)
    copy.input[0] = _lowered(node.input[0], producers, nodes)
    copy.output[0] = f"lowered {name}"
    if all(copy.output[0] not in other.output for other in nodes):
        nodes.append(copy)
    return str(copy.output[0])


def _renamed(node: Any, name: str) -> Any:
    from onnx import helper

    return helper.make_node("Identity", [name], list(node.output))
