"""The cloud's own page: a small console that shows its resources in a browser."""
