"""What watches a release inside Lambda: before traffic, every minute of the bake, and after traffic.

    before_traffic -> preflight -> probe, compatibility      golden set and signature, before anyone meets it
    judge -> rollout, observation, verdict -> evidence       the comparison of canary and stable, every minute
    after_traffic -> probe, judging                          confirms what the alias now answers; the second lock

Handlers run beside the runtime layer and the new version's model layer; boto3 is the Lambda runtime's own. None of
them imports from a layer before it can say that this failed: a release must not wait hours for a broken layer.
"""
