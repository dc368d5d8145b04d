"""The `serinus` command: what its subcommands, in `commands`, share."""
