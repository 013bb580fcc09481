"""The hyperparameters of sliding windows."""

from dataclasses import field
from numbers import Integral
from typing import Annotated, Any, Literal

from sklrnn._hyperparameters import Doc, Ge, Satisfies, hyperparameters
from sklrnn.timeline.calendar_features import CALENDAR_WORDS, CalendarOption, is_calendar


def _are_steps(value: Any) -> bool:
    steps = list(value) if isinstance(value, list | tuple | range) else [value]
    are_whole = all(isinstance(step, Integral) and not isinstance(step, bool) for step in steps)
    return value is None or (bool(steps) and are_whole and min(steps) >= 1)


@hyperparameters
class WindowParameters:
    """Which rows a window holds, how they are found, and what is added to them."""

    window_length: Annotated[int, Ge(1), Doc("Number of rows in a window, the row itself included.")] = field(
        default=10, kw_only=False
    )
    stride_within: Annotated[
        int,
        Ge(1),
        Doc("Distance between the rows of a window: 24 reads hourly rows once a day, at the same hour."),
    ] = 1
    padding: Annotated[
        Literal["edge", "zero", "nan", "mean"], Doc("What fills the places of a window that have no row.")
    ] = "edge"
    context: Annotated[
        Literal["auto", "none"],
        Doc(
            "Whether later rows see the training rows before them, as their index tells. With 'none' the index is "
            "read for a `calendar` only: the rows of each call get no context and are one step apart."
        ),
    ] = "auto"
    flatten: Annotated[
        bool,
        Doc(
            "Give lag columns (row, time * feature) with names like temp_lag2, oldest step first; lag0 is the row "
            "itself. 'X.reshape(n, window_length, -1)' restores the windows. A `calendar` comes once, behind the lags."
        ),
    ] = False
    time_column: Annotated[
        str | int | None,
        Doc("Column that plays the part of the index: a name in a frame, a number in an array. It is no feature."),
    ] = None
    groups: Annotated[
        str | int | None,
        Doc(
            "Column that tells the series of a panel apart; each is windowed by itself. It is no feature. A MultiIndex "
            "whose last level is time needs none."
        ),
    ] = None
    calendar: Annotated[
        CalendarOption,
        Satisfies(is_calendar, CALENDAR_WORDS),
        Doc(
            "Add the calendar of each row to its features, as sines and cosines: the time of 'day', the day of the "
            "'week' or of the 'year'. 'auto' takes those of the three that the training rows span twice. The rows "
            "need dates: an index, or time_column."
        ),
    ] = None
    horizon: Annotated[
        int | list[int] | None,
        Satisfies(_are_steps, "an int of at least 1, a list of these, or None"),
        Doc(
            "Steps ahead that are predicted, as in `supervise`. With `calendar`, each row also gets that of the last "
            "of these steps: the time of the target. None adds that of the row alone."
        ),
    ] = 1
