"""The cloud's own page: a small console of its resources for browsers."""
