"""A labelled table is predicted in requests within the limits; a failure on the way loses nothing silently."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from serinus.cli.errors import CliError, WrongUsage
from serinus.cli.prediction.output import require_output
from serinus.cli.prediction.run import Predicted, PredictionRequest, predict_file

DROP = ("left", "customer")
THROTTLED = json.dumps({"message": "Too Many Requests"})
QUOTA = json.dumps({"message": "Limit Exceeded"})


def run(served: Any, data: Path, output: Path | None = None, drop: tuple[str, ...] = DROP) -> Predicted:
    predicted = Predicted()
    with served.client() as client:
        predict_file(PredictionRequest.read(data, drop, output), client, predicted)
    return predicted


def fails(served: Any, data: Path, output: Path | None = None) -> tuple[Predicted, str]:
    """How far it came, and the error."""
    predicted = Predicted()
    with served.client() as client, pytest.raises(CliError) as caught:
        predict_file(PredictionRequest.read(data, DROP, output), client, predicted)
    return predicted, str(caught.value)


def source_probabilities(served: Any) -> list[float]:
    """Of "leaves", by the model's own library."""
    probabilities: list[float] = served.model.predict_proba(served.table)[:, 0].tolist()
    return probabilities


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("to", [".csv", ".parquet", ".json", ".jsonl"])
def test_rows_and_predictions_stand_side_by_side(served: Any, tmp_path: Path, suffix: str, to: str) -> None:
    data, output = tmp_path / f"rows{suffix}", tmp_path / f"predictions{to}"
    served.table.to_csv(data, index=False) if suffix == ".csv" else served.table.to_parquet(data)
    predicted = run(served, data, output)
    assert (predicted.done, predicted.count, sum(predicted.versions.values())) == (40, 40, 40)
    assert served.asked == {"/model": 1, "/predict": 6}
    readers = {
        ".csv": lambda: pd.read_csv(output, dtype={"customer": str}),
        ".parquet": lambda: pd.read_parquet(output),
        ".json": lambda: pd.DataFrame(json.loads(output.read_text())),
        ".jsonl": lambda: pd.DataFrame([json.loads(line) for line in output.read_text().splitlines()]),
    }
    read = readers[to]()
    added = ["predicted_label", "probability_leaves", "probability_stays"]
    assert list(read.columns) == [*served.table.columns, *added]
    assert read["customer"].tolist() == served.table["customer"].tolist()
    assert read["charge"].tolist() == pytest.approx(served.table["charge"].tolist(), nan_ok=True)
    assert read["probability_leaves"].tolist() == pytest.approx(source_probabilities(served), abs=1e-5)
    assert read["predicted_label"].tolist() == served.model.predict(served.table).tolist()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_bad_cell_is_the_only_one_that_is_named(served: Any, tmp_path: Path) -> None:
    """Pandas reads the whole column as text."""
    table = served.table.head(6).astype({"tenure": object})
    table.loc[3, "tenure"] = "many"
    table.to_csv(tmp_path / "rows.csv", index=False)
    _, message = fails(served, tmp_path / "rows.csv")
    assert "row 3: tenure must be an integer" in message
    assert message.count("row ") == 1


def test_a_number_beyond_any_type_is_named_beside_a_word(served: Any, tmp_path: Path) -> None:
    table = served.table.head(6).astype({"tenure": object})
    table.loc[[2, 3], "tenure"] = ["1" * 400, "many"]
    table.to_csv(tmp_path / "rows.csv", index=False)
    _, message = fails(served, tmp_path / "rows.csv")
    assert "row 2: tenure must be an integer" in message
    assert "row 3: tenure must be an integer" in message


def test_an_infinite_number_is_named_with_its_row(served: Any, tmp_path: Path) -> None:
    served.table.head(12).assign(charge=[1.0] * 9 + [float("inf")] * 3).to_csv(tmp_path / "rows.csv", index=False)
    predicted, message = fails(served, tmp_path / "rows.csv")
    assert message.startswith("row 9: charge is inf, which JSON does not have")
    assert predicted.done == 7
    (tmp_path / "rows.json").write_text('[{"tenure": 3}, {"tenure": 3, "charge": -Infinity}]')
    assert fails(served, tmp_path / "rows.json")[1].startswith("row 1: charge is -inf, which JSON does not have")


KILLED = """
import os, signal, sys
from pathlib import Path
import pandas as pd
from serinus.cli.prediction.output import PredictionFile
file = PredictionFile(Path(sys.argv[1]), pd.DataFrame({"age": [1]}), [])
file.write(0, 1, {})
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_draft_of_a_killed_command_is_deleted_by_the_next(tmp_path: Path) -> None:
    output = tmp_path / "predictions.csv"
    subprocess.run([sys.executable, "-c", KILLED, str(output)], timeout=120)
    assert len(list(tmp_path.rglob("predictions.csv"))) == 1
    assert not output.exists()
    require_output(output)
    assert list(tmp_path.iterdir()) == []


def test_without_a_file_the_responses_become_one(served: Any, labelled: Path) -> None:
    response = run(served, labelled).response
    assert (response["model"], response["classes"]) == ("churn", ["leaves", "stays"])
    assert [row[0] for row in response["probabilities"]] == pytest.approx(source_probabilities(served), abs=1e-5)


def test_json_rows_are_split_where_the_endpoint_refuses_so_many(served: Any, tmp_path: Path) -> None:
    rows = json.loads(served.table.drop(columns=["customer"]).to_json(orient="records"))
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    predicted = run(served, tmp_path / "rows.json", drop=("left",))
    assert len(predicted.response["labels"]) == 40
    assert "/model" not in served.asked
    predicted = run(served, tmp_path / "rows.json", tmp_path / "out.csv", drop=("left",))
    assert pd.read_csv(tmp_path / "out.csv")["predicted_label"].tolist() == predicted_labels(served)


def test_a_row_that_is_no_row_is_named(served: Any, tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_text('[{"tenure": 3, "contract": "monthly"}, 7]')
    _, message = fails(served, tmp_path / "rows.json", tmp_path / "out.csv")
    assert message.startswith("row 1 is neither an object nor an array")
    assert not (tmp_path / "out.csv").exists()


def predicted_labels(served: Any) -> list[str]:
    labels: list[str] = served.model.predict(served.table).tolist()
    return labels


def test_columns_without_use_are_listed_with_the_options_that_drop_them(served: Any, labelled: Path) -> None:
    predicted, message = fails_with(served, labelled, ("left",))
    assert message == (f"{labelled} has columns that the model does not use: 'customer'. Add --drop customer")
    assert predicted.done == 0
    _, message = fails_with(served, labelled, ())
    assert message.endswith("does not use: 'customer', 'left'. Add --drop customer --drop left")


def fails_with(served: Any, data: Path, drop: tuple[str, ...]) -> tuple[Predicted, str]:
    predicted = Predicted()
    with served.client() as client, pytest.raises(WrongUsage) as caught:
        predict_file(PredictionRequest.read(data, drop, None), client, predicted)
    assert "/predict" not in served.asked
    return predicted, str(caught.value)


def test_columns_that_lack_or_are_dropped_in_vain_are_named(served: Any, tmp_path: Path) -> None:
    data = tmp_path / "rows.csv"
    served.table[["tenure", "charge"]].to_csv(data, index=False)
    assert (
        "lacks 'contract', which the model requires; it has 'tenure', 'charge'" in fails_with(served, data, ())[1]
    )
    assert "--drop nothing: " in fails_with(served, data, ("nothing",))[1]


def test_a_column_whose_values_may_be_missing_may_be_missing(served: Any, tmp_path: Path) -> None:
    data = tmp_path / "rows.csv"
    served.table[["contract", "tenure"]].to_csv(data, index=False)
    expected = served.model.predict_proba(served.table.assign(charge=float("nan")))[:, 0]
    response = run(served, data, drop=()).response
    assert [row[0] for row in response["probabilities"]] == pytest.approx(expected.tolist(), abs=1e-5)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_may_succeed_later_is_sent_again(served: Any, labelled: Path, status: int) -> None:
    served.failures = [(2, status, THROTTLED, {"retry-after": "0"}), (0, status, THROTTLED, {})]
    assert run(served, labelled).done == 40
    assert served.asked["/predict"] == 8


def test_a_failure_that_stays_ends_with_the_rows_that_were_predicted(served: Any, labelled: Path) -> None:
    served.failures = [(2, 503, "no", {}), (0, 503, "no", {}), (0, 503, "no", {})]
    output = labelled.with_name("predictions.csv")
    predicted, message = fails(served, labelled, output)
    assert "answered 503" in message
    assert (predicted.done, predicted.partial) == (14, labelled.with_name("predictions.partial.csv"))
    kept = pd.read_csv(labelled.with_name("predictions.partial.csv"))
    assert kept["probability_leaves"].tolist() == pytest.approx(source_probabilities(served)[:14], abs=1e-5)
    assert not output.exists()


@pytest.mark.parametrize("to", [".csv", ".parquet", ".json", ".jsonl"])
def test_partial_files_are_whole_and_without_rows_there_is_none(served: Any, labelled: Path, to: str) -> None:
    output = labelled.with_name(f"predictions{to}")
    served.failures = [(1, 403, "no", {})]
    predicted, _ = fails(served, labelled, output)
    assert predicted.partial is not None
    text = predicted.partial.read_text() if to != ".parquet" else ""
    read = {
        ".csv": lambda: pd.read_csv(predicted.partial),
        ".parquet": lambda: pd.read_parquet(predicted.partial),
        ".json": lambda: json.loads(text),
        ".jsonl": lambda: text.splitlines(),
    }
    assert len(read[to]()) == 7
    predicted.partial.unlink()
    served.failures = [(0, 403, "no", {})]
    assert fails(served, labelled, output)[0].partial is None
    assert [path.name for path in labelled.parent.iterdir()] == [labelled.name]


def test_a_used_up_quota_is_not_asked_again(served: Any, labelled: Path) -> None:
    served.failures = [(0, 429, QUOTA, {})]
    assert "Limit Exceeded" in fails(served, labelled)[1]
    assert served.asked["/predict"] == 1


def test_a_rejected_row_has_its_number_in_the_file(served: Any, tmp_path: Path) -> None:
    table = served.table.drop(columns=["customer", "left"])
    table["contract"] = table["contract"].where(table.index != 17, "weekly")
    table.to_csv(tmp_path / "rows.csv", index=False)
    predicted = Predicted()
    with served.client() as client, pytest.raises(CliError, match=r"row 17: contract must be one of"):
        predict_file(PredictionRequest.read(tmp_path / "rows.csv", (), None), client, predicted)
    assert predicted.done == 14
    assert len(predicted.response["labels"]) == 14


def test_an_endpoint_that_is_not_there_is_not_asked_again(served: Any, labelled: Path) -> None:
    from serinus.cli.prediction.sending import EndpointClient
    from serinus.cli.request_auth import NoAuth

    waited: list[str] = []
    with (
        EndpointClient("http://127.0.0.1:9", NoAuth(), report=waited.append) as client,
        pytest.raises(CliError, match="did not answer"),
    ):
        predict_file(PredictionRequest.read(labelled, DROP, None), client, Predicted())
    assert waited == []


def test_predictions_do_not_replace_a_column_of_the_rows(served: Any, tmp_path: Path) -> None:
    data = tmp_path / "rows.csv"
    served.table.assign(predicted_label="mine").to_csv(data, index=False)
    request = PredictionRequest.read(data, (*DROP, "predicted_label"), tmp_path / "out.csv")
    with served.client() as client, pytest.raises(CliError, match="have a column 'predicted_label'"):
        predict_file(request, client, Predicted())
    assert not (tmp_path / "out.csv").exists()


def test_output_must_say_its_format_and_be_writable(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").touch()
    for name, message in (
        ("rows.csv", r"rows\.csv exists\. Name a new file"),
        ("out.xlsx", r"must end with \.csv, \.parquet, \.json or \.jsonl"),
        ("none/out.csv", "cannot be written to"),
    ):
        with pytest.raises(WrongUsage, match=message):
            require_output(tmp_path / name)
    require_output(tmp_path / "out.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


def test_memory_stays_below_another_table(served: Any, tmp_path: Path) -> None:
    """Batches are made and written one by one, so a longer table takes no more memory beside itself."""
    import tracemalloc

    peaks = []
    for times in (10, 40):
        data = tmp_path / f"rows{times}.parquet"
        pd.concat([served.table] * times, ignore_index=True).to_parquet(data)
        run(served, data, tmp_path / "first.csv")  # what is loaded once is loaded
        (tmp_path / "first.csv").unlink()
        tracemalloc.start()
        run(served, data, tmp_path / "out.csv")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        (tmp_path / "out.csv").unlink()
    assert peaks[1] < 2 * peaks[0]
