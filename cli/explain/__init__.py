"""`serinus rollout explain`: why a release was promoted or undone, and what would have changed that.

explanation -> evidence       what CodeDeploy, the logs and CloudWatch still hold about a release
            -> replay         the judge's own code, run again on the recorded metrics
            -> alternatives   the same code with other settings, or with more or fewer failures
page        -> explanation    the answer on a screen, and as HTML
"""
