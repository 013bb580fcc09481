"""Readers of the bundled weather tables."""

from typing import TYPE_CHECKING, Any, overload

from sklrnn.datasets._forms import fill_forward, give_table, read_bundled

if TYPE_CHECKING:
    import pandas as pd


@overload
def load_jfk_weather(*, fill: bool = True) -> "pd.DataFrame": ...
@overload
def load_jfk_weather(*, fill: bool = True, return_X_y: bool = False, as_frame: bool | None = None) -> Any: ...
def load_jfk_weather(*, fill: bool = True, return_X_y: bool = False, as_frame: bool | None = None) -> Any:
    """Load the hourly weather at New York's JFK airport in 2013.

    8,730 hours from 2013-01-01 06:00 to 2013-12-30 23:00, in UTC. The station reported 8,706 of them; the 24 hours in
    between are there as rows, so that the index has the regular frequency ``"h"``.

    Parameters
    ----------
    fill : bool, default=True
        Repeat the last value seen wherever one is missing, which never looks ahead. With ``fill=False`` missing values
        are NaN: 24 in each column, and beyond these 51 in ``wind_direction``, 3 in ``wind_speed`` and 831 in
        ``pressure``.

    return_X_y : bool, default=False
        Return ``(X, y)``: all columns, and ``temp``, whose later values are to be predicted.

    as_frame : bool or None, default=None
        With None the table itself is returned. True and False ask for a ``Bunch``, as in scikit-learn, or for ``(X,
        y)``, with pandas objects or numpy arrays in it.

    Returns
    -------
    pandas.DataFrame of shape (8730, 7)
        ``temp`` and ``dew_point`` in degrees Celsius, ``wind_direction`` in degrees (0 where it was calm),
        ``wind_speed`` in miles per hour, ``precipitation`` in inches, ``pressure`` at sea level in hectopascal,
        ``visibility`` in miles (never above 10). With ``as_frame`` a
        ``Bunch`` with the fields ``data``, ``target``, ``frame`` (``index`` beside arrays), ``feature_names``,
        ``target_names`` and ``DESCR``.

    See Also
    --------
    sklrnn.datasets.load_seattle_weather : Weather by the day, which comes with the package.
    sklrnn.datasets.fetch_jena_climate : Weather every ten minutes, to download.

    Notes
    -----
    Source: the ``weather`` table of the R package *nycflights13*, station JFK, with temperatures turned into degrees
    Celsius and numbers rounded to one decimal (precipitation to two). Licence: CC0.

    Examples
    --------
    >>> from sklrnn.datasets import load_jfk_weather
    >>> weather = load_jfk_weather()
    >>> weather.shape, weather.index.freqstr
    ((8730, 7), 'h')
    >>> float(weather["temp"].max())
    36.7
    """
    import pandas as pd

    table = read_bundled("jfk_weather_2013.csv.gz")
    table.index = pd.DatetimeIndex(pd.to_datetime(table.pop("time_hour"))).tz_localize(None)
    table = table.rename(
        columns={"dewp": "dew_point", "wind_dir": "wind_direction", "precip": "precipitation", "visib": "visibility"}
    )
    table = fill_forward(table.asfreq("h").rename_axis("time"), fill)
    if as_frame is None and not return_X_y:
        return table
    return give_table(load_jfk_weather, table, target="temp", return_X_y=return_X_y, as_frame=as_frame is not False)


@overload
def load_seattle_weather() -> "pd.DataFrame": ...
@overload
def load_seattle_weather(*, return_X_y: bool = False, as_frame: bool | None = None) -> Any: ...
def load_seattle_weather(*, return_X_y: bool = False, as_frame: bool | None = None) -> Any:
    """Load the daily weather in Seattle from 2012 to 2015: four numbers and a label.

    Nothing is missing. The labels are far from equally frequent: 714 days of ``sun``, 411 of ``fog``, 259 of ``rain``,
    54 of ``drizzle`` and 23 of ``snow``.

    Parameters
    ----------
    return_X_y : bool, default=False
        Return ``(X, y)``: the four numbers, and the label of the same day.

    as_frame : bool or None, default=None
        With None the table itself is returned. True and False ask for a ``Bunch``, as in scikit-learn, or for ``(X,
        y)``, with pandas objects or numpy arrays in it.

    Returns
    -------
    pandas.DataFrame of shape (1461, 5)
        ``precipitation`` in millimetres, ``temp_max`` and ``temp_min`` in degrees Celsius, ``wind`` in metres a second,
        and ``weather``, a word; with a DatetimeIndex of frequency ``"D"``. With ``as_frame`` a
        ``Bunch`` with the fields ``data``, ``target``, ``frame`` (``index`` beside arrays), ``feature_names``,
        ``target_names`` and ``DESCR``.

    See Also
    --------
    sklrnn.datasets.load_jfk_weather : Weather by the hour, which comes with the package.
    sklrnn.datasets.fetch_jena_climate : Weather every ten minutes, to download.

    Notes
    -----
    Source: National Oceanic and Atmospheric Administration, as it comes with *vega_datasets*. Licence: public domain.

    Examples
    --------
    >>> from sklrnn.datasets import load_seattle_weather
    >>> load_seattle_weather().loc["2015-12-31", ["temp_max", "weather"]]
    temp_max    5.6
    weather     sun
    Name: 2015-12-31 00:00:00, dtype: object
    """
    import pandas as pd

    table = read_bundled("seattle_weather.csv.gz")
    table.index = pd.DatetimeIndex(pd.to_datetime(table.pop("date"), format="%Y/%m/%d"), freq="D")
    if as_frame is None and not return_X_y:
        return table
    *numbers, label = table.columns
    return give_table(
        load_seattle_weather,
        table,
        target=label,
        features=numbers,
        return_X_y=return_X_y,
        as_frame=as_frame is not False,
    )
