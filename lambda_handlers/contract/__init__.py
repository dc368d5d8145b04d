"""What build, deploy and run time agree on: the bundle, the signature, names of signals, and agreement.

Standard library only, and numpy in `agreement`, so that any room may import it at no cost. What the inference
function imports is made of named tuples: each dataclass would take 0.6 ms of its cold start, five times as much.
"""
