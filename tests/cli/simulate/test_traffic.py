"""Simulated rows are like the reference until something changes them."""

import numpy as np
import pandas as pd
import pytest

from serinus.cli.errors import WrongUsage
from serinus.cli.simulate.drift import Changes, Drift, parse_drift, parse_season
from serinus.cli.simulate.rows import ClusteredRows, ReferenceRows, read_monitored, read_rows, read_spread, split
from serinus.lambda_handlers.contract.bundle import read_manifest
from serinus.modelpack.monitored import edges_of


@pytest.fixture
def signature(bundle):
    return read_manifest(bundle).signature


@pytest.fixture
def draw(bundle, signature):
    """Rows of the reference, changed by drifts as written, at an hour."""

    def run(*drifts, hour=80.0, count=6000, season=0.0):
        rows = ReferenceRows(bundle, 1, season).draw(count, hour)
        written = [parse_drift(text, signature, 14) for text in drifts]
        Changes(written, signature, read_spread(bundle, signature), 1).apply(rows, hour)
        return pd.DataFrame(rows)

    return run


def test_rows_have_the_shares_of_the_reference(bundle, draw):
    rows = draw()
    for column in read_monitored(bundle).columns:
        if column.role == "output":
            continue
        values = rows[column.name]
        if column.kind == "category":
            shares = [(values == category).mean() for category in column.categories]
        else:
            shares = [(values.astype(float) <= edge).mean() for edge in column.edges] + [values.isna().mean()]
        expected = np.array(column.counts[: len(shares)]) / column.total
        assert shares == pytest.approx(expected, abs=0.03)


def test_a_point_of_mass_stays_one_and_whole_numbers_stay_whole(draw):
    rows = draw()
    assert (rows["debt"] == 0.0).mean() == pytest.approx(0.4, abs=0.03)
    assert (rows["age"] % 1 == 0).all()
    assert rows["age"].between(18, 89).all()


def test_nothing_changes_before_its_day(draw):
    assert draw("age:+2sd@day3", hour=71.9).equals(draw(hour=71.9))


def test_numbers_shift_by_standard_deviations(draw, table):
    moved = draw("age:-0.5sd@day3", "income:+1sd")
    before = draw()
    assert moved["age"].mean() - before["age"].mean() == pytest.approx(-0.5 * table["age"].std(), abs=0.6)
    assert moved["income"].mean() - before["income"].mean() == pytest.approx(table["income"].std(), rel=0.02)
    assert moved["income"].isna().sum() == before["income"].isna().sum()


def test_a_category_loses_or_gains_points(draw):
    assert (draw("plan:basic-10pt@day3")["plan"] == "basic").mean() == pytest.approx(0.5, abs=0.03)
    assert (draw("plan:trial+20pt@day3")["plan"] == "trial").mean() == pytest.approx(0.3, abs=0.03)


def test_values_go_missing(draw):
    assert draw("income:missing=50%@day3")["income"].isna().mean() == pytest.approx(0.55, abs=0.03)


def test_a_season_leaves_a_days_shares_as_they_are(bundle, draw):
    by_hour = [draw(hour=float(hour), season=0.5) for hour in range(24)]
    means = [rows["income"].mean() for rows in by_hour]
    assert max(means) - min(means) > 350
    day, plain = pd.concat(by_hour), draw(count=100_000)
    for name in ("age", "income", "debt"):
        column = next(column for column in read_monitored(bundle).columns if column.name == name)
        limits = [*column.edges, column.minimum - 1e-9, column.maximum]
        shares = [[(rows[name].astype(float) <= edge).mean() for edge in limits] for rows in (day, plain)]
        assert shares[0] == pytest.approx(shares[1], abs=0.012)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("age", "is not COLUMN:CHANGE@dayN"),
        ("city:+1sd", "no column 'city' of single values; it has age, income, debt, plan"),
        ("label:flip=10%", "does not know labels"),
        ("age:+1sd@day14", "days are counted from 0, and --days is 14"),
        ("age:twice", "'twice' is no change of a column"),
        ("plan:+1sd", "plan holds no numbers"),
        ("age:basic-10pt", "age has no categories"),
        ("plan:basic-0pt", "not between 0 and 100"),
        ("income:missing=120%", "not between 0 and 100"),
    ],
)
def test_a_drift_that_cannot_be_is_refused_by_name(signature, text, message):
    with pytest.raises(WrongUsage, match=message):
        parse_drift(text, signature, 14)


def test_a_drift_is_written_as_it_is_read(signature):
    assert str(parse_drift("age:+0.5sd@day3", signature, 14)) == "age:+0.5sd@day3"
    assert parse_drift("plan:basic-10pt", signature, 14) == Drift("plan", "points", -0.1, 0, "basic")


@pytest.mark.parametrize("text", ["0.3", "sd", "9sd", "-1sd"])
def test_a_season_that_cannot_be_is_refused(text):
    with pytest.raises(WrongUsage, match="standard deviations from 0 to 1"):
        parse_season(text)


def test_a_table_is_replayed_by_its_times(table, signature, tmp_path):
    times = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(np.arange(len(table)) * 3, unit="min")
    table.assign(at=times).sample(frac=1, random_state=1).to_csv(tmp_path / "live.csv", index=False)
    rows = read_rows(tmp_path / "live.csv", signature, "at", 1)
    assert rows.days == 5
    assert [row["age"] for row in rows.draw(0, 1.0)] == table["age"][:20].tolist()
    assert len(rows.draw(0, 2.0)) == 20
    assert len(rows.draw(0, 1000.0)) == len(table) - 40


def test_a_table_without_times_is_drawn_from(table, signature, tmp_path):
    table.to_parquet(tmp_path / "live.parquet")
    rows = read_rows(tmp_path / "live.parquet", signature, None, 1)
    assert rows.days is None
    assert {row["plan"] for row in rows.draw(200, 0.0)} == {"basic", "full", "trial"}
    assert any(row["income"] is None for row in rows.draw(200, 0.0))


@pytest.mark.parametrize(("column", "message"), [("when", "no column 'when'"), ("plan", "does not hold times")])
def test_a_table_without_such_times_is_refused(table, signature, tmp_path, column, message):
    table.to_csv(tmp_path / "live.csv", index=False)
    with pytest.raises(WrongUsage, match=message):
        read_rows(tmp_path / "live.csv", signature, column, 1)


def test_clusters_are_rows_alike(bundle):
    rows = ClusteredRows(ReferenceRows(bundle, 1), 5).draw(20, 0.0)
    assert all(rows[index] == rows[index // 5 * 5] for index in range(20))
    assert [len(part) for part in split(rows, 8)] == [8, 8, 4]


def test_edges_of_the_reference_are_met_by_drawn_rows(bundle, draw):
    rows = draw(count=20_000)
    column = next(column for column in read_monitored(bundle).columns if column.name == "income")
    drawn = edges_of(rows["income"].to_numpy(dtype=np.float64))
    # The last one lies among the sample's few largest values.
    assert drawn[:-1] == pytest.approx(list(column.edges[:-1]), rel=0.03)
