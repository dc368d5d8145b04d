"""One concern each; a stack composes them and grants."""
