"""Simulated rollouts for the benchmark of the judge: traffic, rules as they are and were, rival tests."""
