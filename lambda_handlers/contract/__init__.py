"""What build, deploy and run time agree on: the bundle, the signature, names of signals, and agreement.

Standard library only, and numpy in `agreement`, so that any room may import it at no cost.
"""
