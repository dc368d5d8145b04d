"""Collects what the endpoints counted, compares it with the baseline every hour, and reports what differs."""
