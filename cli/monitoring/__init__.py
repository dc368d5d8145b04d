"""What `serinus monitor` reads of a monitored endpoint, how it is shown, and how a reference is accepted."""
