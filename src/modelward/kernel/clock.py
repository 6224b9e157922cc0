"""Where the time comes from, so that a test can hold it still."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

from modelward.kernel.errors import Invalid

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Return the present moment in UTC, to the microsecond."""
    return datetime.now(UTC)


def timestamp(moment: datetime) -> str:
    """Write a moment as RFC 3339 in UTC with microseconds, so that text order is time order; see ``in_utc``."""
    return _utc_text(in_utc(moment))


@lru_cache(maxsize=256)
def _utc_text(moment: datetime) -> str:
    # One unit of work writes the same moment into many rows.
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def moment(text: str) -> datetime:
    """Read an RFC 3339 text; a text without a zone is taken as UTC.

    Raises:
        ValueError: the text is not a date and time.
    """
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def in_utc(given: datetime) -> datetime:
    """The same moment in UTC; one without a zone is taken as UTC.

    Raises:
        Invalid: in UTC it lies outside of the years 1 to 9999.
    """
    if given.tzinfo is UTC:
        return given
    try:
        return given.astimezone(UTC) if given.tzinfo else given.replace(tzinfo=UTC)
    except OverflowError as problem:
        raise Invalid(f"{given.isoformat()} lies outside of the years 1 to 9999 in UTC.") from problem
