"""Random models for the search of packaging's mistakes."""
