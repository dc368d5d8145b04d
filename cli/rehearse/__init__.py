"""`serinus rehearse`: a release from start to verdict, in a cloud of its own on this machine.

command -> scratch, injection -> stage      a copy of the project, its cloud, the two releases
stage   -> traffic, watching                what clients see, what the cloud's APIs say
story   -> wording, live, page, as_data     what it amounts to, and how it is told
"""
