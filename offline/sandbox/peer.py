"""Which user of this machine is at the other end of a connection on loopback, where the kernel tells (Linux).

The Runtime API has no other way to know its worker: AWS's runtime client sends no secret.
Source: https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html
"""

import os
import socket
import sys
from pathlib import Path

CONNECTIONS = Path("/proc/net/tcp")
_LOCAL, _REMOTE, _USER = 1, 2, 7


def is_another_users(peer: tuple[str, int], own: tuple[str, int]) -> bool:
    """Whether the connection from ``peer`` to ``own`` (IPv4 address and port) is known to be another user's."""
    user = user_at(peer, own)
    return user is not None and user not in (os.getuid(), 0)


def user_at(peer: tuple[str, int], own: tuple[str, int]) -> int | None:
    """The user id of the process that connected from ``peer``; None where this machine does not tell."""
    try:
        lines = CONNECTIONS.read_text().splitlines()
    except OSError:
        return None
    ends = (_written(peer), _written(own))
    for line in lines[1:]:
        fields = line.split()
        if (fields[_LOCAL], fields[_REMOTE]) == ends:
            return int(fields[_USER])
    return None


def _written(end: tuple[str, int]) -> str:
    """An address as the kernel writes it: bytes of the address in the machine's order, then the port."""
    address = int.from_bytes(socket.inet_aton(end[0]), sys.byteorder)
    return f"{address:08X}:{end[1]:04X}"
