"""The HTTP side of API Gateway: turns requests into proxy events and functions' responses into replies.

One module a step: address and request, routing, authorization, keys and throttles, validation, the
integration (`proxy`, `mock`), the reply, and its access log and metrics.
"""
