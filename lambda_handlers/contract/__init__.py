"""The contract between build, deploy and run time: bundle, signature, names of signals, and agreement.

Standard library only, and numpy in `agreement`, so that any room may import it at no cost. Types of the inference
function are named tuples: a dataclass would take 0.6 ms of its cold start, five times as much.
"""
