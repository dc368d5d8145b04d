"""Prepares a model's explanations when it is packaged."""
