"""A scikit-learn model as one graph, step by step: what holds other estimators is written here, and each estimator
that holds none by its own converter.

skl2onnx converts whole pipelines too, but in one precision for all steps, with no name for the step that fails,
and without many of the ways in which scikit-learn composes estimators.
"""
