"""Values that samples do not hold: whether the bundle answers them as the source does, or refuses them.

`probes` makes them from sample and signature, `asking` has the source answer, `ranges` and `together` find how
far a graph agrees, which becomes the signature's bounds, and `served` asks the code that will serve.
"""
