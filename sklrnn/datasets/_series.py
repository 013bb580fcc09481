"""Readers of the bundled series of one variable."""

from typing import TYPE_CHECKING, Any, overload

from sklrnn.datasets._forms import fill_forward, give_table, read_bundled

if TYPE_CHECKING:
    import pandas as pd


@overload
def load_air_passengers() -> "pd.Series[Any]": ...
@overload
def load_air_passengers(*, return_X_y: bool = False, as_frame: bool | None = None) -> Any: ...
def load_air_passengers(*, return_X_y: bool = False, as_frame: bool | None = None) -> Any:
    """Load the monthly number of airline passengers from 1949 to 1960.

    144 months with a trend, a yearly season, and swings that grow with the level.

    Parameters
    ----------
    return_X_y : bool, default=False
        Return ``(X, y)``: a table whose only column is the series, and the series.

    as_frame : bool or None, default=None
        With None the series itself is returned. True and False ask for a ``Bunch``, as in scikit-learn, or for ``(X,
        y)``, with pandas objects or numpy arrays in it.

    Returns
    -------
    pandas.Series of shape (144,)
        Thousands of passengers, by month (a PeriodIndex). With ``as_frame`` a ``Bunch`` with the fields ``data``,
        ``target``, ``frame`` (``index`` beside arrays), ``feature_names``, ``target_names`` and ``DESCR``.

    See Also
    --------
    sklrnn.datasets.load_co2 : Carbon dioxide in the air, by week.
    sklrnn.datasets.load_sunspots : Sunspots, by year.

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
    >>> X, y = load_air_passengers(return_X_y=True, as_frame=False)
    >>> X.shape, y.shape
    ((144, 1), (144,))
    """
    import pandas as pd

    table = read_bundled("air_passengers.csv.gz")
    index = pd.PeriodIndex(table["Month"], freq="M", name="month")
    series = pd.Series(table["#Passengers"].to_numpy(float), index=index, name="passengers")
    return _give_series(load_air_passengers, series, return_X_y, as_frame)


@overload
def load_co2(*, fill: bool = True) -> "pd.Series[Any]": ...
@overload
def load_co2(*, fill: bool = True, return_X_y: bool = False, as_frame: bool | None = None) -> Any: ...
def load_co2(*, fill: bool = True, return_X_y: bool = False, as_frame: bool | None = None) -> Any:
    """Load the weekly carbon dioxide in the air at Mauna Loa, Hawaii, from 1958 to 2001.

    2,284 weeks, each named by its Saturday: a steady rise and a yearly season.

    Parameters
    ----------
    fill : bool, default=True
        Repeat the last value seen where one of the 59 weeks without a measurement stands, which never looks ahead.
        With ``fill=False`` they are NaN.

    return_X_y : bool, default=False
        Return ``(X, y)``: a table whose only column is the series, and the series.

    as_frame : bool or None, default=None
        With None the series itself is returned. True and False ask for a ``Bunch``, as in scikit-learn, or for ``(X,
        y)``, with pandas objects or numpy arrays in it.

    Returns
    -------
    pandas.Series of shape (2284,)
        Parts per million, with a DatetimeIndex of frequency ``"W-SAT"``. With ``as_frame`` a ``Bunch`` with the fields
        ``data``, ``target``, ``frame`` (``index`` beside arrays), ``feature_names``, ``target_names`` and ``DESCR``.

    See Also
    --------
    sklrnn.datasets.load_air_passengers : Airline passengers, by month.
    sklrnn.datasets.load_sunspots : Sunspots, by year.

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

    table = read_bundled("co2_weekly.csv.gz")
    index = pd.DatetimeIndex(pd.to_datetime(table["date"], format="%Y%m%d"), freq="W-SAT")
    series = fill_forward(pd.Series(table["co2"].to_numpy(float), index=index, name="co2"), fill)
    return _give_series(load_co2, series, return_X_y, as_frame)


@overload
def load_sunspots() -> "pd.Series[Any]": ...
@overload
def load_sunspots(*, return_X_y: bool = False, as_frame: bool | None = None) -> Any: ...
def load_sunspots(*, return_X_y: bool = False, as_frame: bool | None = None) -> Any:
    """Load the mean number of sunspots in each year from 1700 to 2008.

    309 years with a cycle of about eleven of them that is regular neither in length nor in height.

    Parameters
    ----------
    return_X_y : bool, default=False
        Return ``(X, y)``: a table whose only column is the series, and the series.

    as_frame : bool or None, default=None
        With None the series itself is returned. True and False ask for a ``Bunch``, as in scikit-learn, or for ``(X,
        y)``, with pandas objects or numpy arrays in it.

    Returns
    -------
    pandas.Series of shape (309,)
        Mean number of sunspots, by year (a PeriodIndex). With ``as_frame`` a ``Bunch`` with the fields ``data``,
        ``target``, ``frame`` (``index`` beside arrays), ``feature_names``, ``target_names`` and ``DESCR``.

    See Also
    --------
    sklrnn.datasets.load_air_passengers : Airline passengers, by month.
    sklrnn.datasets.load_co2 : Carbon dioxide in the air, by week.

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

    table = read_bundled("sunspots_yearly.csv.gz")
    index = pd.PeriodIndex(table["YEAR"].astype(str), freq="Y", name="year")
    series = pd.Series(table["SUNACTIVITY"].to_numpy(float), index=index, name="sunspots")
    return _give_series(load_sunspots, series, return_X_y, as_frame)


def _give_series(loader: Any, series: "pd.Series[Any]", return_X_y: bool, as_frame: bool | None) -> Any:
    if as_frame is None and not return_X_y:
        return series
    return give_table(
        loader, series.to_frame(), target=str(series.name), return_X_y=return_X_y, as_frame=as_frame is not False
    )
