"""One stack a file: constructs composed, and what each may do to the other granted."""
