"""`serinus rehearse`: a release from start to verdict, in a cloud of its own on this machine.

run     -> workspace, environment           a copy of the project, its cloud, the two releases
        -> traffic, observer, throttle      the clients' requests, the cloud's APIs, the speed of cloud time
record  -> outcome, timeline, series        the result, its events, its figures over time
        -> summary, live, page, json_output how the result is shown
"""
