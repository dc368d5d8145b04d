"""Runs work over a dependency graph, in parallel where the dependencies allow."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from serinus.offline.services.cloudformation.errors import ResourceFailed

WORKERS = 16


def run_graph(
    graph: Mapping[str, set[str]],
    work: Callable[[str], None],
    *,
    stop: threading.Event,
    on_stop: Callable[[str], None] = lambda _: None,
    keep_going: bool = False,
) -> list[str]:
    """Run ``work(name)`` for each name after its dependencies; returns the names whose work failed.

    The first failure sets ``stop``; then nothing new starts and ``on_stop`` receives the names still running,
    which are awaited. With ``keep_going`` only the dependents of a failed name are skipped.
    """
    waiting = {name: {need for need in needs if need in graph and need != name} for name, needs in graph.items()}
    failed: list[str] = []
    running: dict[Future[None], str] = {}
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="cloudformation") as pool:
        while True:
            if not stop.is_set():
                _start_ready(waiting, running, pool, work)
            if not running:
                return failed
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                name = running.pop(future)
                if not _succeeded(future):
                    failed.append(name)
                    if not keep_going and not stop.is_set():
                        stop.set()
                        for other in running.values():
                            on_stop(other)
                else:
                    for needs in waiting.values():
                        needs.discard(name)


def _start_ready(
    waiting: dict[str, set[str]],
    running: dict[Future[None], str],
    pool: ThreadPoolExecutor,
    work: Callable[[str], None],
) -> None:
    for name in [name for name, needs in waiting.items() if not needs]:
        del waiting[name]
        running[pool.submit(work, name)] = name


def _succeeded(future: Future[None]) -> bool:
    try:
        future.result()
    except ResourceFailed:
        return False
    return True


def reversed_graph(graph: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """The graph for deletion: each name depends on its former dependents."""
    turned: dict[str, set[str]] = {name: set() for name in graph}
    for name, needs in graph.items():
        for need in needs:
            if need in turned and need != name:
                turned[need].add(name)
    return turned
