"""Lets Python lower-case text before the graph, as the source does.

ONNX's StringNormalizer lowers letter by letter and by a locale that the machine must have: in the C locale ASCII
alone, in C.UTF-8 neither a final sigma nor a dotted I as Python does, and en_US.UTF-8, its default, is missing on
small systems. So the graph gets lower-cased text, in an input that its metadata names.
"""

from typing import Any

#: Metadata key of the graph that names the input whose strings must be lower-cased.
LOWERCASE = "serinus.lowercase"
#: The input's name where the graph needs the strings as they are, too.
LOWERED = "lowered"
PLAIN = "strings"
#: Operators that move strings and change none.
_MOVING = ("Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Gather")


def take_lowered(graph: Any) -> None:
    """Replace the text that StringNormalizer lowers by an input `lowered`, and drop the operator, whose stop words
    are whole rows of text. Raises ValueError where other operators change the text first."""
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
    """The input that must be lower-cased, None where no node uses one. It is `strings` itself where no node uses
    the original strings."""
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
    """Whether the vectorizer keeps the case: skl2onnx then writes the operator for its stop words."""
    return any(attribute.name == "is_case_sensitive" and attribute.i for attribute in node.attribute)


def _lowered(name: str, producers: dict[str, Any], nodes: list[Any]) -> str:
    """The tensor ``name`` of lowered text: copies of the nodes that produce it, from the other input."""
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
