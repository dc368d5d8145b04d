"""Enforces a function's role: each AWS call with its temporary credentials is checked against IAM policies.

Only credentials that the sandbox issued to a function are checked here, and each check is recorded. All other
known keys may call every AWS API. Deployed APIs check their callers in `serinus.offline.http.signature`.
"""
