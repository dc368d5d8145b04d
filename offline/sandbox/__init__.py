"""Runs functions: worker processes under AWS's own runtime client, fed by a Runtime API on loopback."""
