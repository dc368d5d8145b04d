"""Authenticates callers: access keys, their principals' policies, and request signatures."""
