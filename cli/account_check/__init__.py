"""`serinus doctor --aws-account`: observes in an account what AWS's documentation leaves in doubt.

A throw-away endpoint is deployed by the product's own templates, each reading of
`serinus.offline.core.readings` is observed on it, and everything that was made is removed again.
"""
