"""A load generator for loopback: clients with one connection each, bounded in requests and in time."""

import ipaddress
import socket
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlsplit

TIMEOUT_S = 60.0


@dataclass(slots=True)
class Load:
    """What a load came to; ``latencies_ms`` of requests that were answered with 200, in order of their end."""

    latencies_ms: list[float] = field(default_factory=list)
    bodies: Counter[bytes] = field(default_factory=Counter)
    #: Requests answered with another status than 200, by status and body.
    others: Counter[tuple[int, bytes]] = field(default_factory=Counter)
    #: Requests without any answer.
    lost: int = 0
    #: Requests that got the answer to another one; counted where the load asks for echoes.
    mixed_up: int = 0
    seconds: float = 0.0

    @property
    def refused(self) -> int:
        """Requests answered with another status than 200."""
        return self.others.total()

    @property
    def statuses(self) -> Counter[int]:
        """Answers by status."""
        found = Counter({200: len(self.latencies_ms)})
        for (status, _), count in self.others.items():
            found[status] += count
        return found

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
    body: bytes | None = None,
    rate: float | None = None,
) -> Load:
    """GET ``url``, or POST ``body`` as JSON, until ``requests`` were sent, ``limit_s`` seconds have passed, or
    ``stop`` is set.

    With ``echo`` each request bears a number (``?n=``) that the answer must repeat. With ``rate`` requests are due
    at that many a second whatever becomes of those before, and latency counts from when one was due; without, each
    client asks as soon as it was answered.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 80
    if not ipaddress.ip_address(host).is_loopback:
        raise ValueError(f"{url} is not on this machine; the load generator is for loopback only")
    method, tail = ("GET", b"") if body is None else ("POST", body)
    length = f"Content-Type: application/json\r\nContent-Length: {len(tail)}\r\n" if body is not None else ""
    head = f" HTTP/1.1\r\nHost: {host}:{port}\r\nAccept: */*\r\n{length}\r\n"
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
            wire = f"{method} {parts.path}{query}{head}".encode() + tail
            due = time.perf_counter() if rate is None else begun + number / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            connection.ask(wire, own, str(number) if echo else None, due)
        connection.close()
        with lock:
            done.latencies_ms += own.latencies_ms
            done.others += own.others
            done.lost += own.lost
            done.mixed_up += own.mixed_up
            done.bodies += own.bodies

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

    def ask(self, wire: bytes, into: Load, expected: str | None, due: float) -> None:
        """Send one request, which was ``due`` then, and note how it was answered."""
        try:
            status, body = self._exchange(wire)
        except OSError:
            into.lost += 1
            self.close()
            return
        if status != 200:
            into.others[status, body] += 1
            return
        into.latencies_ms.append((time.perf_counter() - due) * 1000)
        if expected is None:
            into.bodies[body] += 1
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
