"""Packaging in a process of its own, which the model's code may end or hold up without harm.

Loading a pickle, asking a model and running its graph are code of somebody else's: it may call `exit`, crash, fill
the memory or never return. So the command lets a `worker` do all of that and write the bundle's draft, and a
`supervisor` outside watches it, ends it with its process group (`group`), and alone writes into the project.
"""
