"""Packaging in a separate process, which the model's code may end or block without harm.

Loading a pickle, predicting with a model and running its graph execute somebody else's code: it may call `exit`,
crash, exhaust memory or never return. So a `worker` does all of that and writes the bundle's draft, and a
`supervisor` outside watches it, ends it with its process group (`group`), and alone writes into the project.
"""
