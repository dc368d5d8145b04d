"""`serinus try`: a model served by an offline cloud of its own, from one command in any folder.

run -> folder       a temporary project, or the one that is kept; what killed trials left is removed
    -> project      its settings, and the CDK CLI from the user's cache
    -> comparison   the endpoint's predictions beside the source model's
    -> stages       what is under way, and the seconds of each stage
"""
