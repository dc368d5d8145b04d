"""Watches a release inside Lambda: before traffic, every minute of the bake, and after traffic.

    before_traffic -> preflight -> probe, compatibility      golden set and signature, before live requests
    judge -> review -> probe, rollout_window, verdict        canary compared with stable, every minute
    verdict -> capital -> evidence                           the statistics of that comparison
    after_traffic -> probe, review                           confirms what the alias serves; the second lock

Handlers run beside the runtime layer and the new version's model layer; boto3 is the Lambda runtime's own. None of
them imports from a layer before it can report a failed import: a release must not wait hours for a broken layer.
"""
