"""Smaller graphs: weights, or whole products, in 8 or 4 bits."""
