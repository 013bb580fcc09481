"""Generated dates in several formats, to be translated to ISO."""

from datetime import date, timedelta
from typing import Any

from sklrnn.datasets._drawing import check_sizes, random_numbers

_FIRST, _LAST = date(1950, 1, 1), date(2049, 12, 31)
_N_DAYS = (_LAST - _FIRST).days + 1
# Not those of the calendar module, which follow the locale.
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_FORMATS = (
    "{day} {month} {year}",
    "{month} {day}, {year}",
    "{short} {day} {year}",
    "{day:02d}.{number:02d}.{year}",
    "{number}/{day}/{year}",
)


def make_dates(n_samples: int = 1000, *, random_state: Any = None) -> tuple[list[str], list[str]]:
    """Generate dates as people write them, and their ISO form: pairs for a translator.

    Days from 1950 to 2049, each at most once, so that no test date was seen in training. Each is written in one of
    five formats: ``3 May 2021``, ``May 3, 2021``, ``MAY 3 2021`` (three letters), ``03.05.2021`` and ``5/3/2021``.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of dates, at most 36,525.

    random_state : int, RandomState instance or None, default=None
        Pass an int for the same dates in each call.

    Returns
    -------
    X : list of str
        Written dates.

    y : list of str
        The same dates as ``2021-05-03``.

    See Also
    --------
    sklrnn.SequenceTranslator : Learns this task.

    Examples
    --------
    >>> from sklrnn.datasets import make_dates
    >>> X, y = make_dates(3, random_state=0)
    >>> for written, iso in zip(X, y):
    ...     print(f"{written:20} {iso}")
    10.05.2026           2026-05-10
    9/4/1994             1994-09-04
    November 22, 2020    2020-11-22
    """
    check_sizes(n_samples=(n_samples, 1))
    if n_samples > _N_DAYS:
        raise ValueError(f"n_samples must be at most {_N_DAYS:,}, the days from 1950 to 2049, got {n_samples:,}.")
    rng = random_numbers(random_state)
    days = [_FIRST + timedelta(int(number)) for number in rng.permutation(_N_DAYS)[:n_samples]]
    formats = rng.randint(0, len(_FORMATS), n_samples)
    written = [_write(day, _FORMATS[which]) for day, which in zip(days, formats, strict=True)]
    return written, [day.isoformat() for day in days]


def _write(day: date, format_: str) -> str:
    month = _MONTHS[day.month - 1]
    return format_.format(day=day.day, month=month, short=month[:3].upper(), number=day.month, year=day.year)
