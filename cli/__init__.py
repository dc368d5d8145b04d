"""The `serinus` command, one file a subcommand."""
