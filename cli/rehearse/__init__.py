"""`serinus rehearse`: a release from start to verdict, in a cloud of its own on this machine.

run     -> workspace, environment           a copy of the project, its cloud, the two releases
        -> pace, observer, fault_schedule   cloud time and the clients' requests, the cloud's APIs, the fault
pace    -> traffic, throttle; batches       in real time at a speed; skipping time
record  -> outcome, timeline, series        the result, its events, its figures over time
        -> summary, live, page, json_output how the result is shown
"""
