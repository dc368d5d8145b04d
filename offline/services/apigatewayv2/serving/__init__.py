"""HTTP APIs as requests meet them: routes, CORS, JWT authorizers, payload formats 1.0 and 2.0.

What they share with REST APIs (addresses, throttles, signatures, calling a function) is beside this folder.
"""
