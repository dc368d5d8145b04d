"""The HTTP side of API Gateway: a request in, a proxy event to a function, its answer out.

One module a step: address and request, routing, authorization, keys and throttles, validation, the
integration (`proxy`, `mock`), the reply, and what is reported of it (access log, metrics).
"""
