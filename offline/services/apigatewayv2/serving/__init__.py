"""Serves HTTP APIs: routes, CORS, JWT authorizers, payload formats 1.0 and 2.0.

`serinus.offline.http` has what REST APIs share: addresses, throttles, signatures, function calls.
"""
