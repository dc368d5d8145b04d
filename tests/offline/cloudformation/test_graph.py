"""Work runs in dependency order, in parallel, and stops at a failure."""

import threading

from serinus.offline.services.cloudformation.errors import ResourceFailed
from serinus.offline.services.cloudformation.graph import reversed_graph, run_graph


def test_each_name_runs_after_what_it_needs():
    done: list[str] = []
    graph = {"c": {"b"}, "b": {"a"}, "a": set()}
    assert run_graph(graph, done.append, stop=threading.Event()) == []
    assert done == ["a", "b", "c"]


def test_independent_names_run_at_once():
    together = threading.Barrier(3, timeout=10)

    def work(name):
        together.wait()

    assert run_graph({"a": set(), "b": set(), "c": set()}, work, stop=threading.Event()) == []


def test_a_failure_stops_what_has_not_begun_and_tells_what_is_running():
    begun, told = [], []
    release = threading.Event()

    def work(name):
        begun.append(name)
        if name == "bad":
            raise ResourceFailed("no")
        if name == "slow":
            assert release.wait(10)

    def on_stop(name):
        told.append(name)
        release.set()

    graph = {"slow": set(), "bad": set(), "later": {"bad"}, "after": {"slow"}}
    assert run_graph(graph, work, stop=threading.Event(), on_stop=on_stop) == ["bad"]
    assert sorted(begun) == ["bad", "slow"]
    assert told == ["slow"]


def test_keep_going_leaves_out_only_what_needs_the_failed_name():
    done = []

    def work(name):
        if name == "bad":
            raise ResourceFailed("no")
        done.append(name)

    graph = {"bad": set(), "above": {"bad"}, "other": set(), "next": {"other"}}
    assert run_graph(graph, work, stop=threading.Event(), keep_going=True) == ["bad"]
    assert sorted(done) == ["next", "other"]


def test_taking_down_turns_the_edges_round():
    assert reversed_graph({"b": {"a"}, "a": set()}) == {"b": set(), "a": {"b"}}
