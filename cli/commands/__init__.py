"""The commands of `serinus`, one file each."""
