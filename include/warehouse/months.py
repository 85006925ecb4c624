"""Calendar months in UTC, named by their first day."""

from __future__ import annotations

from datetime import UTC, date, datetime


def month_span(month: date) -> tuple[datetime, datetime]:
    """The month's half-open window (UTC). Raises ValueError for a day other than the first."""
    if month.day != 1:
        raise ValueError(f"a month is named by its first day, not {month}")
    following = later(month, 1)
    return datetime(month.year, month.month, 1, tzinfo=UTC), datetime(following.year, following.month, 1, tzinfo=UTC)


def later(month: date, months: int) -> date:
    """The first day of the month so many months after (or, negative, before) a month."""
    years, index = divmod(month.month - 1 + months, 12)
    return date(month.year + years, index + 1, 1)


def months_ended(start: datetime, end: datetime) -> list[date]:
    """First days of the months (UTC) whose last candle closes within (start, end], oldest first."""
    month, found = start.astimezone(UTC).date().replace(day=1), []
    while (until := month_span(month)[1]) <= end:
        if until > start:
            found.append(month)
        month = until.date()
    return found
