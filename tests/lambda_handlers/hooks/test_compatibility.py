"""Which changes of a signature break callers, and which do not."""

import pytest

from serinus.lambda_handlers.contract.signature import Feature, Output, Signature, Tensor
from serinus.lambda_handlers.hooks.compatibility import breaking_changes

AGE = Feature("age", "float32")
PLAN = Feature("plan", "string", categories=("basic", "pro"), unseen="refused")
LABEL = Output("label", "string", "label", (None,))
ODDS = Output("probabilities", "float32", "probabilities", (None, 2))


def signature(
    *features: Feature, outputs=(LABEL, ODDS), classes=("no", "yes"), task="classification"
) -> Signature:
    tensors = tuple(Tensor(feature.name, feature.dtype, (feature.name,)) for feature in features)
    return Signature(task, features, tensors, outputs, classes)


LIVE = signature(AGE, PLAN)


def changed(age: Feature = AGE, plan: Feature = PLAN) -> Signature:
    return signature(age, plan)


@pytest.mark.parametrize(
    "new",
    [
        LIVE,
        changed(age=AGE._replace(dtype="float64")),
        changed(age=AGE._replace(missing="accepted", minimum=3.0)),
        changed(plan=PLAN._replace(categories=("basic", "pro", "max"))),
        changed(plan=PLAN._replace(unseen="accepted")),
        signature(AGE, PLAN, outputs=(LABEL, ODDS, Output("score", "float32", "tensor", (None, 4)))),
        signature(AGE, PLAN, outputs=(LABEL._replace(name="output_label"), ODDS._replace(dtype="float64"))),
    ],
    ids=["same", "wider dtype", "may be missing", "more categories", "unseen accepted", "more outputs", "renamed"],
)
def test_callers_of_the_live_version_are_still_served(new):
    assert breaking_changes(LIVE, new) == []


@pytest.mark.parametrize(
    ("new", "words"),
    [
        (signature(AGE), "feature 'plan' was removed"),
        (signature(AGE, PLAN, Feature("city", "string")), "required feature 'city' was added"),
        (signature(AGE, PLAN, Feature("city", "string", missing="accepted")), "optional feature 'city' was added"),
        (signature(PLAN, AGE), "features are now in the order plan, age"),
        (changed(age=AGE._replace(dtype="int64")), "'age' is now int64, which does not accept every float32"),
        (changed(age=AGE._replace(dtype="string")), "'age' is now string"),
        (changed(age=AGE._replace(shape=(3,))), "'age' now has shape [3] instead of []"),
        (changed(plan=PLAN._replace(categories=("basic",))), "'plan' now rejects 'pro'"),
        (signature(AGE, PLAN, classes=("yes", "no")), "the classes are now 'yes', 'no' instead of 'no', 'yes'"),
        (signature(AGE, PLAN, outputs=(LABEL,)), "no longer contains 'probabilities'"),
        (
            signature(AGE, PLAN, outputs=(LABEL._replace(dtype="int64"), ODDS)),
            "'labels' in the response is now int64",
        ),
        (signature(AGE, PLAN, task="regression"), "the task is now regression"),
    ],
)
def test_what_breaks_callers_is_named(new, words):
    assert words in "; ".join(breaking_changes(LIVE, new))


def test_what_could_be_missing_or_unseen_may_not_become_refused():
    live = changed(AGE._replace(missing="accepted"), PLAN._replace(unseen="accepted"))
    found = breaking_changes(live, LIVE)
    assert found == [
        "feature 'age' may no longer be missing",
        "feature 'plan' now rejects values other than its 2 categories",
    ]
