"""Each construct models one concern; a stack composes them and grants permissions."""
