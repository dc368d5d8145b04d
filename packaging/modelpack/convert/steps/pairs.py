"""One vote for each pair of classes, as support vectors and OneVsOneClassifier count them."""

import numpy as np

from serinus.modelpack.convert.steps.translation import Translation


def _members(classes: int) -> tuple[np.ndarray, np.ndarray]:
    """[pairs, classes]: ones where the class is the pair's first, and where it is its second."""
    pairs = [(first, second) for first in range(classes) for second in range(first + 1, classes)]
    firsts, seconds = np.zeros((2, len(pairs), classes))
    for number, (first, second) in enumerate(pairs):
        firsts[number, first] = seconds[number, second] = 1.0
    return firsts, seconds


def count_votes(translation: Translation, first_wins: str, second_wins: str, classes: int) -> str:
    """[rows, classes]: the pairs that each class wins, from 1 or 0 by pair."""
    nodes = translation.nodes
    won = [
        nodes.add("MatMul", [wins, nodes.constant(members)])
        for wins, members in zip((first_wins, second_wins), _members(classes), strict=True)
    ]
    return nodes.add("Add", won)


def votes_and_scores(translation: Translation, second_wins: str, scores: str, classes: int) -> str:
    """[rows, classes]: the votes, and less than a third of a vote for the sum of the scores, which are positive
    for a pair's second class. As scikit-learn's `_ovr_decision_function`."""
    nodes = translation.nodes
    firsts, seconds = _members(classes)
    first_wins = nodes.add("Sub", [translation.row([1.0]), second_wins])
    votes = count_votes(translation, first_wins, second_wins, classes)
    total = nodes.add("MatMul", [scores, nodes.constant(seconds - firsts)])
    size = nodes.add("Add", [nodes.add("Abs", [total]), translation.row([1.0])])
    tie = nodes.add("Div", [total, nodes.add("Mul", [size, translation.row([3.0])])])
    return nodes.add("Add", [votes, tie])
