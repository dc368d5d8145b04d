"""Requests and responses of deployed APIs, as far as REST and HTTP APIs are alike."""
