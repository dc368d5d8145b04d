"""Finds the local user at the other end of a loopback connection, where the kernel reports it (Linux).

The Runtime API cannot identify its worker otherwise: AWS's runtime client sends no secret.
Source: https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html
"""

import functools
import ipaddress
import os
import socket
import sys
from pathlib import Path

#: IPv4, and IPv4 connections of IPv6 programs.
TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_LOCAL, _REMOTE, _USER, _INODE = 1, 2, 7, 9
#: A connection that its program has closed: the kernel no longer knows its user.
_NOBODYS = "0"

End = tuple[str, int]


def is_of_this_user(peer: End, own: End) -> bool:
    """Whether a process of this user holds the connection from ``peer`` to ``own`` (IPv4 address and port); also
    true if this machine does not report connections' users."""
    return not tells_users() or user_at(peer, own) == os.getuid()


def user_at(peer: End, own: End) -> int | None:
    """The user id of the process at the other end, ``peer``; None if the kernel does not report it."""
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
    """Whether this machine reports connections' users: tried once, with a connection of our own."""
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
