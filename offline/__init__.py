"""A cloud on this machine: moto, the services that moto lacks, and functions that really run.

It is a small AWS. It knows nothing of Serinus and could serve any CDK application of this kind.

Its layers, lowest first. Each imports only those listed before it:

core            clock, configuration, protocols, and the ports between parts of the cloud
moto            every patch of moto
authentication  callers, by access key and signature
authorization   the permissions of functions' roles
client          clients for programs on this machine
sandbox         worker processes that run functions
http            what deployed REST and HTTP APIs share
delivery        how a service invokes a function or sends to a queue or topic
services        AWS's services, none of which imports another
console         the cloud's own page
cloud           the composition root: creates, connects and serves the services
"""
