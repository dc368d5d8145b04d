"""The state is written between steps, whichever thread takes them."""

import asyncio
import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from serinus.offline.core import steps as steps_module
from serinus.offline.core.steps import Steps
from serinus.offline.services.cloudformation.journal import StackEventLog
from serinus.offline.services.cloudformation.state import Stack, StackResource


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Iterator[Steps]:
    monkeypatch.setattr(steps_module, "PATIENCE_S", 60.0)
    held = Steps()
    yield held
    held.release()


def test_a_step_waits_while_the_state_is_written(steps: Steps) -> None:
    done = threading.Event()

    def work() -> None:
        with steps.step(), steps.step():
            done.set()

    steps.hold()
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert not done.wait(0.2)
    steps.release()
    assert done.wait(30)
    thread.join(30)
    steps.hold()


def test_a_status_is_saved_with_its_event_or_not_at_all(steps: Steps) -> None:
    stack = Stack(id="arn:stack", name="one", region="us-east-1", created=0.0)
    resource = StackResource("Topic", "AWS::SNS::Topic")
    bus = SimpleNamespace(publish=lambda *event: None)
    log = StackEventLog(SimpleNamespace(clock=SimpleNamespace(time=lambda: 1.0), steps=steps), stack, bus)
    for change in (
        lambda: log.stack("CREATE_IN_PROGRESS"),
        lambda: log.resource(resource, "CREATE_COMPLETE"),
    ):
        before = (stack.status, resource.status, len(stack.events))
        steps.hold()
        thread = threading.Thread(target=change, daemon=True)
        thread.start()
        thread.join(0.2)
        assert (stack.status, resource.status, len(stack.events)) == before
        steps.release()
        thread.join(30)
    assert [event.status for event in stack.events] == [stack.status, resource.status]


def test_a_step_on_the_event_loop_does_not_wait(steps: Steps) -> None:
    async def work() -> None:
        with steps.step():
            pass

    steps.hold()
    asyncio.run(asyncio.wait_for(work(), 30))
