"""What watches a release inside Lambda: before traffic, every minute of the bake, and after traffic.

    before_traffic -> preflight -> probe, compatibility      golden set and signature, before anyone meets it
    judge -> rollout, observation, verdict -> evidence       the comparison of canary and stable, every minute
    after_traffic -> probe                                   confirms what the alias now answers

Handlers run beside the runtime layer and the new version's model layer; boto3 is the Lambda runtime's own.
"""
