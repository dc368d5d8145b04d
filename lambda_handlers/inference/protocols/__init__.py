"""Protocols of existing clients, beside the endpoint's own: they read rows and write outputs, and leave validation
and scoring to `scoring`."""
