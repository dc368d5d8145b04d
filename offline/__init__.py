"""A cloud on this machine: moto, plus what moto lacks, plus functions that really run.

It is a small AWS. It knows nothing of Serinus and could serve any CDK application of this kind.
"""
