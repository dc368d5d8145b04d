"""Finds the local user at the other end of a loopback connection, where the kernel reports it (Linux).

The Runtime API has no other way to know its worker: AWS's runtime client sends no secret.
Source: https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html
"""

import functools
import ipaddress
import os
import socket
import sys
from pathlib import Path

#: IPv4, and what a program of IPv6 connects to IPv4 with.
TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_LOCAL, _REMOTE, _USER, _INODE = 1, 2, 7, 9
#: A connection whose program has closed it already: the kernel forgets whose it was.
_NOBODYS = "0"

End = tuple[str, int]


def is_of_this_user(peer: End, own: End) -> bool:
    """Whether the connection from ``peer`` to ``own`` (IPv4 address and port) is of a process of this user; true
    as well where this machine tells of no connection whose it is."""
    return not tells_users() or user_at(peer, own) == os.getuid()


def user_at(peer: End, own: End) -> int | None:
    """The user id of the process that holds the other end, ``peer``; None where the kernel does not tell."""
    for table, written in zip(TABLES, (_written, _written_mapped), strict=True):
        try:
            lines = table.read_text().splitlines()
        except OSError:
            continue
        ends = (written(peer), written(own))
        for line in lines[1:]:
            fields = line.split()
            if (fields[_LOCAL], fields[_REMOTE]) == ends:
                return None if fields[_INODE] == _NOBODYS else int(fields[_USER])
    return None


@functools.cache
def tells_users() -> bool:
    """Whether this machine tells whose a connection is: tried once, with one of our own."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        with socket.create_connection(listener.getsockname()) as connection:
            return user_at(connection.getsockname(), connection.getpeername()) == os.getuid()


def _written(end: End) -> str:
    """An address as the kernel writes it: words of four bytes in the machine's order, then the port."""
    return f"{_words(ipaddress.IPv4Address(end[0]).packed)}:{end[1]:04X}"


def _written_mapped(end: End) -> str:
    return f"{_words(ipaddress.IPv6Address(f'::ffff:{end[0]}').packed)}:{end[1]:04X}"


def _words(packed: bytes) -> str:
    words = (packed[start : start + 4] for start in range(0, len(packed), 4))
    return "".join(f"{int.from_bytes(word, sys.byteorder):08X}" for word in words)
