"""Watches a model in production: counts of its inputs and outputs, hour by hour, against the tolerated bands.

    collector -> store                    lines of the log, and references of bundles, into the bucket
    monitor -> endpoint_look              every hour, every endpoint
    endpoint_look -> hours, clocks        the hour's sums, and what they add to the evidence
    endpoint_look -> findings             what is reported
    clocks -> slow_clock, fast_clock      when evidence is looked at, and what tolerances hold
    slow_clock, fast_clock -> detector    evidence by stream, by column and of the whole endpoint
    detector -> bets                      what a look's counts add

The guarantee and its conditions: docs/monitoring.md.
"""
