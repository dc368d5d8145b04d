"""How programs on this machine reach the cloud: sessions, its own API, and the environment of a shell."""
