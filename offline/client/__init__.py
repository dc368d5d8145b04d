"""Clients of the cloud on this machine: sessions, its own API, and the environment of a shell."""
