"""Runs a cloud: in the foreground of a process (`serve`) or inside a test's own process (`running`)."""

import asyncio
import contextlib
import dataclasses
import socket
import sys
import threading
from collections.abc import Callable, Iterator

import uvicorn

from serinus.offline.cloud.app import create_app
from serinus.offline.cloud.cloud import Cloud
from serinus.offline.core.config import CloudConfig
from serinus.offline.core.errors import OfflineError
from serinus.offline.http.header_case_protocol import OriginalCaseProtocol

BACKLOG = 2048
#: Real seconds after which a computing thread yields to another. With the default, five times as long, each system
#: call of the event loop would wait that long during a stack update in another thread: a request makes a dozen.
SWITCH_S = 0.001


def bind(config: CloudConfig) -> socket.socket:
    """A listening socket at the configured address; port 0 picks any free port."""
    # asyncio disables Nagle's algorithm only for an explicit protocol; otherwise each response waits 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((config.host, config.port))
        # From here on calls wait for their response: services that resume work at the start call each other.
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise OfflineError(
            f"port {config.port} on {config.host} is taken ({error.strerror}). "
            "Another cloud may be running: `serinus local down` in its project stops it, `--port` starts this one "
            "elsewhere."
        ) from error
    return listener


def serve(config: CloudConfig, on_bound: Callable[[int], object]) -> None:
    """Serve until SIGINT or SIGTERM; returns after every worker is gone. ``on_bound`` is called with the port once
    that is taken and the state is read; raises `OfflineError` if either fails."""
    listener, cloud = _bound(config)
    on_bound(cloud.config.port)
    sys.setswitchinterval(SWITCH_S)
    uvicorn.Server(_settings(cloud)).run(sockets=[listener])


@contextlib.contextmanager
def running(config: CloudConfig) -> Iterator[Cloud]:
    """A cloud in a background thread of this process, for tests; use port 0."""
    listener, cloud = _bound(config)
    server = uvicorn.Server(_settings(cloud))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise OfflineError("the offline cloud ended while it was starting; see its log")
        thread.join(0.01)
    try:
        yield cloud
    finally:
        server.should_exit = True
        thread.join()


def _bound(config: CloudConfig) -> tuple[socket.socket, Cloud]:
    listener = bind(config)
    try:
        return listener, Cloud(dataclasses.replace(config, port=listener.getsockname()[1]))
    except BaseException:
        listener.close()
        raise


def _settings(cloud: Cloud) -> uvicorn.Config:
    return uvicorn.Config(
        create_app(cloud),
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=5,
        # Longer than clients keep idle connections: a request must not arrive at a closing connection.
        timeout_keep_alive=120,
        http=OriginalCaseProtocol,
        server_header=False,
        proxy_headers=False,
    )
