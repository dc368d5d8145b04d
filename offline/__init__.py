"""A cloud on this machine: moto, plus what moto lacks, plus functions that really run.

It is a small AWS. It knows nothing of Serinus and could serve any CDK application of this kind.

Its layers, lowest first. Each imports only those listed before it:

core            clock, configuration, protocols, and the ports by which parts of the cloud use one another
moto            every patch of moto
authentication  who makes a call
authorization   what a function's role allows
client          how programs reach the cloud
sandbox         worker processes that run functions
http            what deployed REST and HTTP APIs share
delivery        how a service invokes a function or sends to a queue or topic
services        AWS's services, none of which imports another
console         the cloud's own page
cloud           the composition root: makes the services, connects their ports, serves them
"""
