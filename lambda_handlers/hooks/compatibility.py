"""Whether a new signature still accepts the live one's requests, and keeps the form of its responses.

A request that was valid yesterday must not be rejected today because a model was trained again.
"""

from collections.abc import Iterator
from itertools import chain

from serinus.lambda_handlers.contract.columns import field_of
from serinus.lambda_handlers.contract.signature import Feature, Output, Signature

#: For each dtype, those that accept every value which it accepts. float32 and float64 take the same JSON numbers
#: but for those above 3.4e38, which no feature holds.
_WIDER: dict[str, frozenset[str]] = {
    "float32": frozenset({"float32", "float64"}),
    "float64": frozenset({"float32", "float64"}),
    "int32": frozenset({"int32", "int64", "float32", "float64"}),
    "int64": frozenset({"int64", "float32", "float64"}),
    "bool": frozenset({"bool"}),
    "string": frozenset({"string"}),
}

#: Bounds this far out reject no caller's values.
_NO_FEATURE_HOLDS = 1e30


def breaking_changes(live: Signature, new: Signature) -> list[str]:
    """The changes from ``live`` to ``new`` that break callers, a sentence each; empty when there are none."""
    return list(chain(_feature_changes(live, new), _output_changes(live, new)))


def _feature_changes(live: Signature, new: Signature) -> Iterator[str]:
    renewed = {feature.name: feature for feature in new.features}
    known = set(live.feature_names())
    for feature in live.features:
        if feature.name not in renewed:
            yield f"feature {feature.name!r} was removed, so requests that contain it are rejected"
        else:
            yield from _narrowed(feature, renewed[feature.name])
    for feature in new.features:
        if feature.name not in known:
            kind = "required " if feature.missing == "refused" else "optional "
            rejected = "requests without it" if feature.missing == "refused" else "rows sent as arrays"
            yield f"{kind}feature {feature.name!r} was added, so {rejected} are rejected"
    if set(renewed) == known and new.feature_names() != live.feature_names():
        order = ", ".join(new.feature_names())
        yield f"features are now in the order {order}, so rows sent as arrays are misread"


def _narrowed(live: Feature, new: Feature) -> Iterator[str]:
    where = f"feature {live.name!r}"
    if new.dtype not in _WIDER[live.dtype]:
        yield f"{where} is now {new.dtype}, which does not accept every {live.dtype}"
    if new.shape != live.shape:
        yield f"{where} now has shape {list(new.shape)} instead of {list(live.shape)}"
    yield from _bounds(where, live, new)
    if live.missing == "accepted" and new.missing == "refused":
        yield f"{where} may no longer be missing"
    if new.unseen == "refused" and new.categories is not None:
        if live.unseen == "accepted" or live.categories is None:
            yield f"{where} now rejects values other than its {len(new.categories)} categories"
        elif gone := [value for value in live.categories if value not in new.categories]:
            yield f"{where} now rejects {', '.join(map(repr, gone))}"


def _bounds(where: str, live: Feature, new: Feature) -> Iterator[str]:
    highest = _NO_FEATURE_HOLDS if live.highest is None else min(live.highest, _NO_FEATURE_HOLDS)
    lowest = -_NO_FEATURE_HOLDS if live.lowest is None else max(live.lowest, -_NO_FEATURE_HOLDS)
    if new.highest is not None and new.highest < highest:
        yield f"{where} now rejects numbers above {new.highest:g}{_was(live.highest)}"
    if new.lowest is not None and new.lowest > lowest:
        yield f"{where} now rejects numbers below {new.lowest:g}{_was(live.lowest)}"


def _was(bound: float | None) -> str:
    return "" if bound is None else f"; it was {bound:g}"


def _output_changes(live: Signature, new: Signature) -> Iterator[str]:
    if new.task != live.task:
        yield f"the task is now {new.task} instead of {live.task}"
    if new.classes != live.classes:
        yield f"the classes are now {_list(new.classes)} instead of {_list(live.classes)}"
    renewed = {_field_name(output, new): output for output in new.outputs}
    for output in live.outputs:
        successor = renewed.get(_field_name(output, live))
        if successor is None:
            yield f"the response no longer contains {_field_name(output, live)!r}"
        elif _form(successor) != _form(output):
            name = _field_name(output, live)
            yield f"{name!r} in the response is now {_words(successor)} instead of {_words(output)}"


def _field_name(output: Output, signature: Signature) -> str:
    return field_of(output, signature.outputs) or output.name


def _form(output: Output) -> tuple[str, tuple[int | None, ...]]:
    """The part that callers see: JSON has one kind of float, one of integer, and no axes around a single value."""
    kind = output.dtype.rstrip("3264")
    shape = output.shape[:1] if output.shape[1:] == (1,) else output.shape
    return kind, (None, *shape[1:])


def _words(output: Output) -> str:
    return f"{output.dtype} {['rows', *output.shape[1:]]}".replace("'", "")


def _list(classes: tuple[str | int | float | bool, ...] | None) -> str:
    return "none" if classes is None else ", ".join(map(repr, classes))
