"""A load generator for loopback: clients with one connection each, bounded in requests and in time."""

import ipaddress
import socket
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

TIMEOUT_S = 60.0


@dataclass(slots=True)
class Load:
    """What a load came to; ``latencies_ms`` of requests that were answered with 200, in order of their end."""

    latencies_ms: list[float] = field(default_factory=list)
    bodies: dict[bytes, int] = field(default_factory=dict)
    #: Requests answered with another status.
    refused: int = 0
    #: Requests without any answer.
    lost: int = 0
    #: Requests that got the answer to another one; counted where the load asks for echoes.
    mixed_up: int = 0
    seconds: float = 0.0

    @property
    def answered(self) -> int:
        return len(self.latencies_ms) + self.refused

    @property
    def failed(self) -> int:
        return self.refused + self.lost

    @property
    def rate(self) -> float:
        """Answers with 200 a second."""
        return len(self.latencies_ms) / self.seconds

    def percentile_ms(self, percent: float) -> float:
        ordered = sorted(self.latencies_ms)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def load(
    url: str,
    *,
    clients: int,
    requests: int,
    limit_s: float,
    stop: threading.Event | None = None,
    echo: bool = False,
) -> Load:
    """GET ``url`` until ``requests`` were sent, ``limit_s`` seconds have passed, or ``stop`` is set.

    With ``echo`` each request bears a number (``?n=``) that the answer must repeat.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 80
    if not ipaddress.ip_address(host).is_loopback:
        raise ValueError(f"{url} is not on this machine; the load generator is for loopback only")
    tail = f" HTTP/1.1\r\nHost: {host}:{port}\r\nAccept: */*\r\n\r\n"
    done, lock = Load(), threading.Lock()
    left = iter(range(requests))
    deadline = time.perf_counter() + limit_s

    def client() -> None:
        own, connection = Load(), Connection(host, port)
        while time.perf_counter() < deadline and not (stop is not None and stop.is_set()):
            with lock:
                number = next(left, None)
            if number is None:
                break
            query = f"?n={number}" if echo else ""
            connection.get(f"GET {parts.path}{query}{tail}".encode(), own, str(number) if echo else None)
        connection.close()
        with lock:
            done.latencies_ms += own.latencies_ms
            done.refused += own.refused
            done.lost += own.lost
            done.mixed_up += own.mixed_up
            for body, count in own.bodies.items():
                done.bodies[body] = done.bodies.get(body, 0) + count

    threads = [threading.Thread(target=client, daemon=True) for _ in range(clients)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(limit_s + 2 * TIMEOUT_S)
    done.seconds = time.perf_counter() - begun
    return done


class Connection:
    """One keep-alive connection, opened when first used and after a loss."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._socket: socket.socket | None = None

    def get(self, wire: bytes, into: Load, expected: str | None) -> None:
        """Send one request and note how it was answered."""
        begun = time.perf_counter()
        try:
            status, body = self._exchange(wire)
        except OSError:
            into.lost += 1
            self.close()
            return
        if status != 200:
            into.refused += 1
            return
        into.latencies_ms.append((time.perf_counter() - begun) * 1000)
        if expected is None:
            into.bodies[body] = into.bodies.get(body, 0) + 1
        elif body.decode() != expected:
            into.mixed_up += 1

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _exchange(self, wire: bytes) -> tuple[int, bytes]:
        if self._socket is None:
            self._socket = socket.create_connection(self._address, timeout=TIMEOUT_S)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(wire)
        head, body = self._receive(b"").split(b"\r\n\r\n", 1)
        length = next(
            int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
        )
        while len(body) < length:
            body += self._more()
        return int(head.split(b" ", 2)[1]), body

    def _receive(self, received: bytes) -> bytes:
        while b"\r\n\r\n" not in received:
            received += self._more()
        return received

    def _more(self) -> bytes:
        assert self._socket is not None
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionResetError("the server closed the connection")
        return data
