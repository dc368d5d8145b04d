"""`serinus predict`: rows from a file to an endpoint, and its predictions to a file."""
