"""Readers of the bundled files.

pandas is imported inside the functions, so that importing this module stays cheap.
"""

from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def load_jfk_weather(*, fill: bool = True) -> "pd.DataFrame":
    """Load the hourly weather at New York's JFK airport in 2013.

    8,730 hours from 2013-01-01 06:00 to 2013-12-30 23:00, in UTC. The station reported 8,706 of them; the 24 hours in
    between are there as rows, so that the index has the regular frequency ``"h"``.

    Parameters
    ----------
    fill : bool, default=True
        Repeat the last value seen wherever one is missing, which never looks ahead. With ``fill=False`` missing values
        are NaN: 24 in each column, and beyond these 51 in ``wind_direction``, 3 in ``wind_speed`` and 831 in
        ``pressure``.

    Returns
    -------
    pandas.DataFrame of shape (8730, 7)
        ``temp`` and ``dew_point`` in degrees Celsius, ``wind_direction`` in degrees (0 where it was calm),
        ``wind_speed`` in miles per hour, ``precipitation`` in inches, ``pressure`` at sea level in hectopascal,
        ``visibility`` in miles (never above 10).

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

    table = _read("jfk_weather_2013")
    table.index = pd.DatetimeIndex(pd.to_datetime(table.pop("time_hour"))).tz_localize(None)
    table = table.rename(
        columns={"dewp": "dew_point", "wind_dir": "wind_direction", "precip": "precipitation", "visib": "visibility"}
    )
    return _fill(table.asfreq("h").rename_axis("time"), fill)


def load_air_passengers() -> "pd.Series[Any]":
    """Load the monthly number of airline passengers from 1949 to 1960.

    144 months with a trend, a yearly season, and swings that grow with the level.

    Returns
    -------
    pandas.Series of shape (144,)
        Thousands of passengers, by month (a PeriodIndex).

    Notes
    -----
    Source: series G of Box, Jenkins and Reinsel, *Time Series Analysis: Forecasting and Control*, as it comes with
    many statistics packages. Licence: the copies are distributed under the Apache-2.0 and MIT licences.

    Examples
    --------
    >>> from sklrnn.datasets import load_air_passengers
    >>> load_air_passengers().tail(2)
    month
    1960-11    390.0
    1960-12    432.0
    Freq: M, Name: passengers, dtype: float64
    """
    import pandas as pd

    table = _read("air_passengers")
    index = pd.PeriodIndex(table["Month"], freq="M", name="month")
    return pd.Series(table["#Passengers"].to_numpy(float), index=index, name="passengers")


def load_co2(*, fill: bool = True) -> "pd.Series[Any]":
    """Load the weekly carbon dioxide in the air at Mauna Loa, Hawaii, from 1958 to 2001.

    2,284 weeks, each named by its Saturday: a steady rise and a yearly season.

    Parameters
    ----------
    fill : bool, default=True
        Repeat the last value seen where one of the 59 weeks without a measurement stands, which never looks ahead.
        With ``fill=False`` they are NaN.

    Returns
    -------
    pandas.Series of shape (2284,)
        Parts per million, with a DatetimeIndex of frequency ``"W-SAT"``.

    Notes
    -----
    Source: C. D. Keeling and T. P. Whorf, Scripps Institution of Oceanography, as it comes with *statsmodels*.
    Licence: public domain.

    Examples
    --------
    >>> from sklrnn.datasets import load_co2
    >>> load_co2().tail(2)
    date
    2001-12-22    371.3
    2001-12-29    371.5
    Freq: W-SAT, Name: co2, dtype: float64
    """
    import pandas as pd

    table = _read("co2_weekly")
    index = pd.DatetimeIndex(pd.to_datetime(table["date"], format="%Y%m%d"), freq="W-SAT")
    return _fill(pd.Series(table["co2"].to_numpy(float), index=index, name="co2"), fill)


def load_sunspots() -> "pd.Series[Any]":
    """Load the mean number of sunspots in each year from 1700 to 2008.

    309 years with a cycle of about eleven of them that is regular neither in length nor in height.

    Returns
    -------
    pandas.Series of shape (309,)
        Mean number of sunspots, by year (a PeriodIndex).

    Notes
    -----
    Source: National Geophysical Data Center, as it comes with *statsmodels*. Licence: public domain.

    Examples
    --------
    >>> from sklrnn.datasets import load_sunspots
    >>> load_sunspots().tail(2)
    year
    2007    7.5
    2008    2.9
    Freq: Y-DEC, Name: sunspots, dtype: float64
    """
    import pandas as pd

    table = _read("sunspots_yearly")
    index = pd.PeriodIndex(table["YEAR"].astype(str), freq="Y", name="year")
    return pd.Series(table["SUNACTIVITY"].to_numpy(float), index=index, name="sunspots")


def load_seattle_weather() -> "pd.DataFrame":
    """Load the daily weather in Seattle from 2012 to 2015: four numbers and a label.

    Nothing is missing. The labels are far from equally frequent: 714 days of ``sun``, 411 of ``fog``, 259 of ``rain``,
    54 of ``drizzle`` and 23 of ``snow``.

    Returns
    -------
    pandas.DataFrame of shape (1461, 5)
        ``precipitation`` in millimetres, ``temp_max`` and ``temp_min`` in degrees Celsius, ``wind`` in metres a second,
        and ``weather``, a word; with a DatetimeIndex of frequency ``"D"``.

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

    table = _read("seattle_weather")
    table.index = pd.DatetimeIndex(pd.to_datetime(table.pop("date"), format="%Y/%m/%d"), freq="D")
    return table


def load_names() -> "pd.DataFrame":
    """Load family names and the languages that they come from.

    20,050 names in 18 languages, one language after the other: shuffle them before you hold any out. Nearly half are
    Russian, 73 are Vietnamese; 2,038 rows repeat a name of the same language, and some names are found in several.

    Returns
    -------
    pandas.DataFrame of shape (20050, 2)
        ``name``, of 2 to 20 characters, and ``language``, a word.

    Notes
    -----
    Source: the tutorial *Classifying Names with a Character-Level RNN* of ``spro/practical-pytorch``. Licence: MIT.

    Copyright (c) 2017 Sean Robertson

    Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
    documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
    rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to
    permit persons to whom the Software is furnished to do so, subject to the following conditions:

    The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
    Software.

    THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
    WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS
    OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
    OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.

    Examples
    --------
    >>> from sklrnn.datasets import load_names
    >>> load_names().tail(2)
            name    language
    20048  Vuong  Vietnamese
    20049    Vuu  Vietnamese
    """
    # Whatever reads like a missing value would be a name here.
    table = _read("names", ending="tsv.gz", sep="\t", names=["language", "name"], keep_default_na=False)
    return table[["name", "language"]]


def _read(name: str, *, ending: str = "csv.gz", **options: Any) -> "pd.DataFrame":
    import pandas as pd

    with as_file(files("sklrnn.datasets") / f"{name}.{ending}") as path:
        table: pd.DataFrame = pd.read_csv(path, **options)
        return table


def _fill(data: Any, fill: bool) -> Any:
    return data.ffill() if fill else data
