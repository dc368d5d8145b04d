"""The function counts what live rows hold, all of them and nothing else, and no value of a row is on a line."""

import json
import logging
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from serinus.lambda_handlers.contract.monitored import KEY, Column, Monitored, ProfileLine
from serinus.lambda_handlers.inference import kept_tensors
from serinus.lambda_handlers.inference.instrumented import InstrumentedEndpoint, open_instrumented

#: The beginning of a block of five minutes.
BLOCK_MS = 1_790_000_100_000
ALIAS = "arn:aws:lambda:us-east-1:123456789012:function:shop-dev-churn:live"
TENURE = Column(
    "tenure", "input", "number", 1, 100, (40, 80, 0, 0, 0), edges=(20.0, 50.0), minimum=5.0, maximum=60.0
)
CHARGE = Column("charge", "input", "number", 1, 100, (50, 10, 0, 0), edges=(70.0,), minimum=25.0, maximum=110.0)
CONTRACT = Column(
    "contract", "input", "category", 1, 100, (60, 40, 0, 0), categories=("monthly",), rest=("one year",)
)
REGION = Column("region", "input", "category", 1, 100, (50, 50, 0, 0, 0), categories=("north", "south"))
LABEL = Column("label", "output", "category", 1, 100, (60, 40, 0, 0, 0), categories=("stays", "leaves"))
SCORE = Column("probabilities of stays", "output", "number", 1, 100, (50, 0, 0, 0), edges=(0.5,), maximum=1.0)
MONITORED = Monitored("sample", (TENURE, CHARGE, CONTRACT, REGION, LABEL, SCORE), {})
#: Values that no count has.
SECRET_REGION, SECRET_CHARGE = "atlantis-7531", 97.53125


@dataclass
class Client:
    """Calls the function at times of the API's clock, and recounts what it should have counted."""

    endpoint: InstrumentedEndpoint
    written: list[dict[str, Any]]
    at_ms: float = BLOCK_MS
    expected: Counter[int] = field(default_factory=Counter)
    rows = requests = refused = 0

    def post(self, rows: list[dict[str, Any]], *, arn: str = ALIAS, stage: str = "live") -> dict[str, Any]:
        """The response to ``rows``, which also enter the expected counts if they are live and answered."""
        event = {
            "resource": "/{proxy+}",
            "path": "/predict",
            "httpMethod": "POST",
            "headers": {"Content-Type": "application/json"},
            "pathParameters": {"proxy": "predict"},
            "requestContext": {
                "stage": stage,
                "path": f"/{stage}/predict",
                "requestId": "request-9",
                "requestTimeEpoch": int(self.at_ms),
            },
            "body": json.dumps({"rows": rows}),
            "isBase64Encoded": False,
        }
        response = self.endpoint(event, SimpleNamespace(aws_request_id="i", invoked_function_arn=arn))
        if arn == ALIAS and stage == "live":
            self.requests += 1
            if response["statusCode"] == 200:
                self.expect(rows, json.loads(response["body"]))
            else:
                self.refused += 1
        return response

    def expect(self, rows: list[dict[str, Any]], answer: dict[str, Any]) -> None:
        self.rows += len(rows)
        for row, label, scores in zip(rows, answer["labels"], answer["probabilities"], strict=True):
            values = row | {"label": label, "probabilities of stays": scores[1]}
            start = 0
            for column in MONITORED.columns:
                for stream in streams_of(column, values[column.name]):
                    self.expected[start + stream] += 1
                start += column.streams

    @property
    def lines(self) -> list[ProfileLine]:
        return [ProfileLine.from_json(line) for line in self.written if "Profile" in line]

    def counted(self) -> Counter[int]:
        """All that was written, by stream; the last block is ended first, and its successor left out."""
        before = (self.rows, self.requests, self.refused, self.expected.copy())
        self.at_ms += 600_000
        self.post([row()])
        profiles = [line for line in self.written if "Profile" in line]
        if profiles:
            self.written.remove(profiles[-1])
        self.rows, self.requests, self.refused, self.expected = before
        return sum((Counter(dict(enumerate(line.counts))) for line in self.lines), Counter())


def streams_of(column: Column, value: Any) -> list[int]:
    """The streams of a column into which one value falls, counted the plain way."""
    if column.kind == "category":
        known = [*column.categories, *column.rest]
        if value is None:
            return [len(column.categories) + 2]
        if value not in known:
            return [len(column.categories) + 1]
        return [min(known.index(value), len(column.categories))]
    edges = len(column.edges)
    if value is None:
        return [edges]
    found = [number for number, edge in enumerate(column.edges) if np.float32(value) <= edge]
    found += [edges + 1] if np.float32(value) < column.minimum else []
    return found + ([edges + 2] if np.float32(value) > column.maximum else [])


def row(**changes: Any) -> dict[str, Any]:
    return {"tenure": 12.0, "charge": 70.5, "contract": "monthly", "region": "north"} | changes


def random_rows(source: random.Random, count: int) -> list[dict[str, Any]]:
    return [
        row(
            tenure=float(source.choice([1, 5, 20, 21, 50, 60, 71])),
            charge=source.choice([None, 20.0, 25.0, 70.0, 70.00001, 119.5, SECRET_CHARGE]),
            contract=source.choice(["monthly", "one year", "two years"]),
            region=source.choice([None, "north", "south", SECRET_REGION]),
        )
        for _ in range(count)
    ]


Open = Callable[..., Client]


@pytest.fixture
def monitored(churn: Path, tmp_path: Path) -> Path:
    """The bundle of churn with monitored columns."""
    folder = tmp_path / "churn"
    shutil.copytree(churn, folder)
    baseline = json.loads((folder / "baseline.json").read_bytes())
    (folder / "baseline.json").write_text(json.dumps(baseline | {KEY: MONITORED.to_json()}))
    return folder


@pytest.fixture
def open_client(monitored: Path) -> Iterator[Open]:
    clients: list[Client] = []

    def opened(folder: Path = monitored, **variables: str) -> Client:
        written: list[dict[str, Any]] = []

        def write(lines: bytes) -> None:
            written.extend(json.loads(line) for line in lines.splitlines())

        environ = {
            "SERINUS_MODEL_DIR": str(folder),
            "SERINUS_LIVE_ALIAS": "live",
            "AWS_LAMBDA_FUNCTION_NAME": "shop-dev-churn",
            "AWS_LAMBDA_FUNCTION_VERSION": "7",
            "SERINUS_PROFILE": "1",
        }
        clients.append(Client(open_instrumented(environ | variables, write), written))
        return clients[-1]

    yield opened
    for client in clients:
        client.endpoint.endpoint.close()


@pytest.mark.parametrize("hot_route", ["1", "0"])
def test_counts_equal_a_plain_recount_of_all_live_answers(open_client, hot_route):
    client, source = open_client(SERINUS_HOT_ROUTE=hot_route), random.Random(hot_route)
    for _ in range(150):
        client.at_ms += source.choice([3, 40, 700, 20_000])
        client.post(random_rows(source, source.choice([1, 1, 1, 2, 30, 300])))
        if source.random() < 0.1:
            client.post(random_rows(source, 5), stage="serinus-probe")
            client.post(random_rows(source, 5), arn=ALIAS.replace(":live", ":6"))
            assert client.post([row(tenure="long")])["statusCode"] == 422
    assert client.counted() == client.expected
    lines = client.lines
    assert sum(line.rows for line in lines) == client.rows > 1000
    assert sum(line.requests for line in lines) == client.requests
    assert sum(line.refused for line in lines) == client.refused > 0
    assert [line.sequence for line in lines] == list(range(len(lines)))
    assert len({line.environment for line in lines}) == 1
    assert all(line.since // 300 == line.until // 300 for line in lines)
    assert {(line.function, line.version, line.baseline) for line in lines} == {
        ("shop-dev-churn", "7", MONITORED.id)
    }


def test_no_value_of_a_row_is_on_a_line(open_client):
    client, source = open_client(), random.Random(1)
    for _ in range(600):
        client.post([row(region=SECRET_REGION, charge=SECRET_CHARGE, contract=source.choice(["monthly"]))])
    client.counted()
    assert client.lines
    for line in client.written:
        assert SECRET_REGION not in json.dumps(line)
        assert str(SECRET_CHARGE) not in json.dumps(line)


def test_a_line_is_written_after_512_rows_after_a_minute_and_after_its_block(open_client):
    client = open_client()
    client.post([row()])
    assert [line.rows for line in client.lines] == [1]
    for _ in range(511):
        client.post([row()])
    assert len(client.lines) == 1
    client.post([row()])
    assert [(line.rows, line.requests) for line in client.lines[1:]] == [(512, 512)]
    client.post([row()] * 700)
    assert [line.rows for line in client.lines] == [1, 512, 700]
    client.post([row()])
    client.at_ms += 59_999
    client.post([row()])
    assert len(client.lines) == 3
    client.at_ms += 1
    client.post([row()])
    assert [line.rows for line in client.lines] == [1, 512, 700, 3]
    assert client.lines[3].until - client.lines[3].since == 60
    client.at_ms = BLOCK_MS + 100_000
    client.post([row()])
    assert [line.rows for line in client.lines[4:]] == []
    client.at_ms = BLOCK_MS + 299_990
    client.post([row()])
    client.at_ms = BLOCK_MS + 300_000
    client.post([row()])
    last = client.lines[-1]
    assert (last.rows, last.since, last.until) == (2, (BLOCK_MS + 100_000) / 1000, (BLOCK_MS + 299_990) / 1000)


@pytest.mark.parametrize(("gap_ms", "written"), [(59_999, 0), (60_000, 1), (3_600_000, 1)])
def test_a_request_after_a_quiet_minute_is_written_at_once(open_client, gap_ms, written):
    """The environment may end before the next one."""
    client = open_client()
    client.post([row()])
    client.at_ms += gap_ms
    client.post([row()])
    assert len(client.lines) == 1 + written


def test_refused_requests_alone_make_a_line_too(open_client):
    client = open_client()
    client.post([row(tenure="long")])
    client.counted()
    (line, *_) = client.lines
    assert (line.requests, line.refused, line.rows, sum(line.counts)) == (1, 1, 0, 0)
    assert len(line.counts) == MONITORED.streams


def test_requests_that_overtake_each_other_keep_a_line_in_order(open_client):
    client = open_client()
    for later_ms in (0, 50, 20):
        client.at_ms = BLOCK_MS + later_ms
        client.post([row()])
    client.counted()
    assert (client.lines[1].since, client.lines[1].until) == ((BLOCK_MS + 20) / 1000, (BLOCK_MS + 50) / 1000)


def test_a_restored_copy_counts_from_nothing_under_a_name_of_its_own(open_client):
    client = open_client()
    for _ in range(600):
        client.post([row()])
    names = set()
    for _ in range(3):
        client.endpoint.telemetry.restored()
        client.written.clear()
        client.rows, client.requests, client.expected = 0, 0, Counter()
        client.post([row(contract="two years")])
        assert client.counted() == client.expected
        assert (client.lines[0].sequence, client.lines[0].rows) == (0, 1)
        names.add(client.lines[0].environment)
    assert len(names) == 3


@pytest.mark.parametrize("variables", [{}, {"SERINUS_PROFILE": "0"}])
def test_what_counts_can_be_loaded_before_a_snapshot(open_client, variables):
    client = open_client(**variables)
    client.endpoint.telemetry.prepare()
    client.post([row()])
    assert client.counted() == (Counter() if variables else client.expected)


def test_kept_tensors_are_bounded_by_rows_and_by_bytes(open_client):
    client, most = open_client(), 0
    for _ in range(600):
        client.post([row()])
        most = max(most, rows_kept(client))
    assert most == kept_tensors.MOST_ROWS - 1
    client = open_client()
    for _ in range(30):
        client.post([row(region="x" * 100_000)])
        kept = client.endpoint.telemetry._profile._kept
        assert kept is None or kept.rows < 10
    assert client.counted() == client.expected


def rows_kept(client: Client) -> int:
    kept = client.endpoint.telemetry._profile._kept
    return 0 if kept is None else kept.rows


@pytest.mark.parametrize("variables", [{"SERINUS_PROFILE": "0"}, {"SERINUS_PROFILE": ""}])
def test_nothing_is_counted_where_the_endpoint_is_not_monitored(open_client, variables):
    client = open_client(**variables)
    assert client.endpoint.telemetry._profile is None
    for _ in range(600):
        client.post([row()])
    assert client.counted() == Counter()


def test_a_bundle_without_monitored_columns_is_served_without_counts(open_client, churn):
    client = open_client(churn)
    assert client.post([row()])["statusCode"] == 200
    assert client.endpoint.telemetry._profile is None


def test_a_count_that_fails_costs_no_response(open_client, monitored, caplog):
    baseline = json.loads((monitored / "baseline.json").read_bytes())
    columns = Monitored("sample", (TENURE._replace(name="age"),), {}).to_json()
    (monitored / "baseline.json").write_text(json.dumps(baseline | {KEY: columns}))
    client = open_client(monitored)
    with caplog.at_level(logging.ERROR):
        assert [client.post([row()])["statusCode"] for _ in range(600)] == [200] * 600
    assert [record.getMessage() for record in caplog.records] == [
        "this environment no longer counts values for the monitor"
    ]
    assert client.lines == []
