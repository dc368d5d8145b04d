"""How many workers a burst of requests starts: one each where they take long, as on AWS, few where they do not."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

WHO = "import os, time\ndef handler(event, context):\n    time.sleep(event)\n    return os.getpid()\n"


@pytest.fixture
def ask(aws, deploy_function):
    """Invokes a new function that takes so many seconds, so many times at once; returns who answered."""
    functions, name = aws("lambda"), deploy_function(WHO)

    def ask(seconds, times):
        def one(_):
            answer = functions.invoke(FunctionName=name, Payload=json.dumps(seconds))
            return json.loads(answer["Payload"].read())

        with ThreadPoolExecutor(times) as threads:
            return set(threads.map(one, range(times)))

    return ask


def test_requests_that_take_long_get_a_worker_each(ask):
    ask(0.5, 1)
    assert len(ask(0.5, 5)) == 5


def test_quick_requests_wait_for_a_worker_rather_than_start_one_each(ask):
    for _ in range(5):
        ask(0, 1)
    assert len(ask(0, 20)) <= 4
