"""Edge-case inputs, which samples lack: whether the bundle predicts as the source does for them, or refuses them.

`probes` builds them from sample and signature, `source_oracle` gets the source's predictions, `ranges` and
`joint_extremes` measure how far a graph agrees, which sets the signature's bounds, and `serving_check` sends them
to the code that will serve.
"""
