"""Slots of cron lines: through daylight saving, after down-times, and with many schedulers at once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelward.jobs import queue, schedules
from modelward.jobs.schedules import CATCH_UP_SLOTS_MAX, ON_TIME, CatchUp, Schedule, next_slot
from modelward.kernel.clock import moment
from modelward.kernel.errors import Invalid
from modelward.storage.database import Database

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ZURICH = "Europe/Zurich"
# Clocks go forward on 29 March 2026 at 01:00 UTC and back on 25 October 2026 at 01:00 UTC.
SPRING, AUTUMN = datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)
CRONS = [
    "* * * * *",
    "*/5 * * * *",
    "0 * * * *",
    "30 2 * * *",
    "*/20 2 * * *",
    "0 3 * * *",
    "15 1-3 * * *",
    "0 0 * * 0",
    "0 12 1 * *",
]


def slots(cron, zone, begin, end):
    found, at = [], begin
    while (at := next_slot(cron, zone, at)) <= end:
        found.append(at)
    return found


@pytest.mark.parametrize("cron", CRONS)
@pytest.mark.parametrize("turn", [SPRING, AUTUMN], ids=["spring", "autumn"])
def test_the_slots_around_a_change_of_the_clocks_are_in_order_and_none_comes_twice(cron, turn):
    found = slots(cron, ZURICH, turn - 2 * DAY, turn + 2 * DAY)

    assert found == sorted(set(found))


@pytest.mark.parametrize("turn", [SPRING, AUTUMN], ids=["spring", "autumn"])
def test_a_line_for_every_minute_or_hour_loses_none_when_the_clocks_change(turn):
    assert slots("* * * * *", ZURICH, turn - 3 * HOUR, turn + 3 * HOUR) == [
        turn - 3 * HOUR + n * MINUTE for n in range(1, 361)
    ]
    assert slots("0 * * * *", ZURICH, turn - 5 * HOUR, turn + 5 * HOUR) == [
        turn - 5 * HOUR + n * HOUR for n in range(1, 11)
    ]


def test_a_daily_slot_in_the_hour_that_spring_skips_comes_when_the_hour_has_passed():
    assert slots("30 2 * * *", ZURICH, SPRING - 12 * HOUR, SPRING + 12 * HOUR) == [SPRING]


def test_a_daily_slot_in_the_hour_that_autumn_repeats_comes_the_first_time_only():
    assert slots("30 2 * * *", ZURICH, AUTUMN - 12 * HOUR, AUTUMN + 12 * HOUR) == [AUTUMN - HOUR / 2]


@pytest.mark.parametrize("cron", CRONS)
def test_every_day_of_a_year_has_its_slots_whatever_the_zone_does(cron):
    daily = "30 2 * * *"
    for zone in (ZURICH, "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"):
        found = slots(daily, zone, datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 12, 31, 23, tzinfo=UTC))
        days = {each.astimezone(ZoneInfo(zone)).date() for each in found}
        assert len(found) == len(days)
        assert len(days) in (364, 365)


@settings(max_examples=200)
@given(st.sampled_from(CRONS), st.sampled_from([ZURICH, "America/New_York", "Australia/Lord_Howe"]),
       st.sampled_from([SPRING, AUTUMN, datetime(2026, 3, 8, 7, tzinfo=UTC), datetime(2026, 11, 1, 6, tzinfo=UTC), NOON]),
       st.integers(-4 * 3600, 4 * 3600))  # fmt: skip
def test_the_next_slot_is_always_later_and_nothing_lies_between(cron, zone, around, seconds):
    after = around + timedelta(seconds=seconds)
    following = next_slot(cron, zone, after)

    assert following > after
    assert next_slot(cron, zone, after + (following - after) / 2) == following


@pytest.mark.parametrize(
    "cron", ["", "x", "* * * *", "60 * * * *", "0 0 31 2 *", "* * * * * * *", "@reboot", "0 0 30 2 *"]
)
def test_a_line_without_a_next_date_is_refused(cron):
    with pytest.raises(Invalid) as caught:
        next_slot(cron, "UTC", NOON)
    assert caught.value.field == "cron"


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "Europe", "UTC\x00"])
def test_a_zone_that_nobody_lives_in_is_refused(zone):
    with pytest.raises(Invalid) as caught:
        next_slot("* * * * *", zone, NOON)
    assert caught.value.field == "zone"


def put(database, now=NOON, **options):
    wanted = Schedule(**{"id": "s", "kind": "test", "payload": {"of": "s"}, "cron": "*/10 * * * *", **options})
    return database.write(lambda connection: schedules.put(connection, wanted, now=now))


def fire(database, now):
    return database.write(lambda connection: schedules.fire_due(connection, now=now))


def ledger(database):
    jobs = database.read(lambda connection: queue.list_jobs(connection, limit=100_000))
    return sorted(moment(each.payload["slot"]) for each in jobs)


def test_a_slot_makes_its_job_when_it_is_due_and_not_before(database):
    put(database)

    assert fire(database, NOON + 10 * MINUTE - timedelta(microseconds=1)) == 0
    assert fire(database, NOON + 10 * MINUTE) == 1
    assert fire(database, NOON + 10 * MINUTE) == 0
    assert ledger(database) == [NOON + 10 * MINUTE]


@pytest.mark.parametrize(
    ("policy", "minutes"),
    [(CatchUp.ALL, [10, 20, 30, 40, 50]), (CatchUp.LATEST, [50]), (CatchUp.NONE, [])],
)
def test_slots_missed_while_nothing_ran_are_caught_up_as_the_policy_says(database, policy, minutes):
    put(database, catch_up=policy)

    fire(database, NOON + 55 * MINUTE)
    assert ledger(database) == [NOON + each * MINUTE for each in minutes]
    fire(database, NOON + 60 * MINUTE)
    assert ledger(database) == [NOON + each * MINUTE for each in [*minutes, 60]]


def test_a_slot_that_is_a_little_late_is_run_even_where_nothing_is_caught_up(database):
    put(database, catch_up=CatchUp.NONE)

    assert fire(database, NOON + 10 * MINUTE + ON_TIME) == 1
    assert fire(database, NOON + 20 * MINUTE + ON_TIME * 2) == 0


def test_one_slot_missed_by_hours_is_not_run_where_nothing_is_caught_up(database):
    put(database, cron="0 13 * * *", catch_up=CatchUp.NONE)

    assert fire(database, NOON + 6 * HOUR) == 0


def test_none_of_a_long_line_of_missed_slots_is_lost(database):
    put(database, cron="* * * * *", catch_up=CatchUp.ALL)
    end = NOON + (CATCH_UP_SLOTS_MAX + 234) * MINUTE

    assert fire(database, end) == CATCH_UP_SLOTS_MAX
    assert fire(database, end) == 234
    assert fire(database, end) == 0
    assert ledger(database) == [NOON + n * MINUTE for n in range(1, CATCH_UP_SLOTS_MAX + 235)]


def test_the_latest_of_very_many_missed_slots_is_the_last_before_now_and_not_an_old_one(database):
    put(database, cron="* * * * *", catch_up=CatchUp.LATEST)

    fire(database, NOON + 400 * DAY + MINUTE / 2)

    assert ledger(database) == [NOON + 400 * DAY]


def test_a_yearly_slot_missed_by_months_is_found(database):
    put(database, cron="0 0 1 1 *", catch_up=CatchUp.LATEST)

    fire(database, datetime(2030, 9, 1, tzinfo=UTC))

    assert ledger(database) == [datetime(2030, 1, 1, tzinfo=UTC)]


def test_a_schedule_that_is_put_again_with_the_same_times_loses_no_due_slot(database):
    put(database)
    put(database, NOON + 15 * MINUTE, payload={"of": "s", "more": 1})

    assert fire(database, NOON + 15 * MINUTE) == 1
    assert ledger(database) == [NOON + 10 * MINUTE]


def test_a_schedule_that_is_put_with_other_times_begins_anew(database):
    put(database)
    put(database, NOON + 15 * MINUTE, cron="30 * * * *")

    assert fire(database, NOON + 15 * MINUTE) == 0
    assert fire(database, NOON + 30 * MINUTE) == 1


def test_a_paused_or_removed_schedule_fires_nothing(database):
    put(database)
    wanted = database.read(lambda connection: schedules.get(connection, "s"))
    database.write(lambda connection: schedules.put(connection, wanted, now=NOON, paused=True))
    assert fire(database, NOON + DAY) == 0

    put(database, NOON + DAY)
    database.write(lambda connection: schedules.remove(connection, "s"))
    assert fire(database, NOON + 2 * DAY) == 0


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 5000), min_size=1, max_size=15), st.sampled_from(CRONS[:7]), st.booleans())
def test_with_every_slot_caught_up_the_ledger_is_complete_whenever_one_looks(database, minutes, cron, around_spring):
    begin = (SPRING if around_spring else AUTUMN) - 30 * HOUR
    database.write(lambda connection: (connection.execute(queue.job.delete()), schedules.remove(connection, "s")))
    put(database, begin, cron=cron, zone=ZURICH, catch_up=CatchUp.ALL)

    now = begin
    for each in minutes:
        now = min(now + each * MINUTE, begin + 5 * DAY)
        while fire(database, now):
            pass

    assert ledger(database) == slots(cron, ZURICH, begin, now)


def test_eight_schedulers_at_once_make_each_job_once(database, database_url, dialect):
    others = [Database(database_url) for _ in range(7)] if dialect == "postgresql" else [database] * 7
    everybody = [database, *others]
    for number in range(20):
        put(database, id=f"s{number}", cron="* * * * *", catch_up=CatchUp.ALL)
    together = threading.Barrier(8)

    def schedule(own):
        together.wait(30)
        return sum(fire(own, NOON + n * MINUTE) for n in range(1, 11))

    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(schedule, everybody))

    assert sum(made) == 20 * 10
    ids = [each.id for each in database.read(lambda connection: queue.list_jobs(connection, limit=1000))]
    assert len(ids) == len(set(ids)) == 20 * 10
    for each in set(others) - {database}:
        each.close()
