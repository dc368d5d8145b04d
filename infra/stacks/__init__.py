"""One file for each stack: it composes constructs and grants their permissions."""
