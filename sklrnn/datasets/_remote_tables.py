"""Loaders of time series that are downloaded."""

import io
import os
from typing import Any, Literal, get_args

from sklrnn.datasets._download import DownloadOptions, read_remote
from sklrnn.datasets._forms import give_table
from sklrnn.datasets._remote_sources import TABLES, RemoteTable

Subset = Literal["ETTh1", "ETTh2", "ETTm1", "ETTm2"]


def _read_table(table: RemoteTable, options: DownloadOptions) -> Any:
    import pandas as pd

    frame = pd.read_csv(io.BytesIO(read_remote(table.file, options)))
    expected = [table.time, *table.columns]
    if list(frame.columns) != expected or len(frame) != table.n_rows:
        raise ValueError(
            f"{table.file.name} in the data folder has {len(frame):,} rows of {list(frame.columns)}, expected "
            f"{table.n_rows:,} rows of {expected}. Replace it by the file at {table.file.url}."
        )
    times = pd.to_datetime(frame.pop(table.time), format=table.date_format)
    freq: Any = table.freq  # where it is given, a missing step is an error
    frame.index = pd.DatetimeIndex(times, freq=freq, name="time")
    return frame


def fetch_jena_climate(
    *,
    fill: bool = True,
    return_X_y: bool = False,
    as_frame: bool = True,
    data_home: "str | os.PathLike[str] | None" = None,
    download_if_missing: bool = True,
    n_retries: int = 3,
    progressbar: bool = True,
) -> Any:
    """Load the weather in Jena, Germany, every ten minutes from 2009 to 2016; download it if necessary (13 MB).

    420,551 rows of 14 measurements: the temperature, which is the target, pressures, humidities and wind. Some times
    occur twice, and a few are missing, so the index has no frequency.

    Parameters
    ----------
    fill : bool, default=True
        Repeat the last value seen where a wind speed is missing, which never looks ahead. With ``fill=False`` these
        values, which the file writes as -9999, are NaN.

    return_X_y : bool, default=False
        Return ``(X, y)`` instead of a Bunch.

    as_frame : bool, default=True
        Give pandas objects; with False numpy arrays.

    data_home : str or path, default=None
        The folder of downloads; see :func:`get_data_home`.

    download_if_missing : bool, default=True
        Download the file if the folder has none; with False this is an OSError.

    n_retries : int, default=3
        How often a download that fails is tried again.

    progressbar : bool, default=True
        Show how far the download is.

    Returns
    -------
    sklearn.utils.Bunch
        ``data``, the 14 columns; ``target``, the column ``"T (degC)"``, whose later values are to be predicted;
        ``frame`` (or ``index``, beside arrays); ``feature_names``, ``target_names`` and ``DESCR``.

    See Also
    --------
    sklrnn.datasets.load_jfk_weather : Weather by the hour, which comes with the package.
    sklrnn.datasets.get_data_home : Where downloads are kept.

    Notes
    -----
    Source: Max Planck Institute for Biogeochemistry, Jena, in the form that François Chollet prepared for *Deep
    Learning with Python* and the documentation of Keras. No licence is stated. The file is checked by its
    columns and rows.

    Examples
    --------
    >>> from sklrnn.datasets import fetch_jena_climate
    >>> weather = fetch_jena_climate()  # doctest: +SKIP
    >>> weather.data.shape  # doctest: +SKIP
    (420551, 14)
    """
    options = DownloadOptions(data_home, download_if_missing, n_retries, progressbar)
    table = TABLES["jena"]
    frame = _read_table(table, options)
    wind = ["wv (m/s)", "max. wv (m/s)"]
    frame[wind] = frame[wind].mask(frame[wind] == -9999)
    if fill:
        frame = frame.ffill()
    return give_table(fetch_jena_climate, frame, target=table.target, return_X_y=return_X_y, as_frame=as_frame)


def fetch_german_electricity(
    *,
    return_X_y: bool = False,
    as_frame: bool = True,
    data_home: "str | os.PathLike[str] | None" = None,
    download_if_missing: bool = True,
    n_retries: int = 3,
    progressbar: bool = True,
) -> Any:
    """Load the daily consumption and production of electricity in Germany; download it if necessary (0.2 MB).

    4,383 days from 2006 to 2017, in gigawatt hours. The consumption, which is the target, has no gap. Wind power begins
    in 2010 and solar power in 2012; before, and on a few days, they are NaN.

    Parameters
    ----------
    return_X_y : bool, default=False
        Return ``(X, y)`` instead of a Bunch.

    as_frame : bool, default=True
        Give pandas objects; with False numpy arrays.

    data_home : str or path, default=None
        The folder of downloads; see :func:`get_data_home`.

    download_if_missing : bool, default=True
        Download the file if the folder has none; with False this is an OSError.

    n_retries : int, default=3
        How often a download that fails is tried again.

    progressbar : bool, default=True
        Show how far the download is.

    Returns
    -------
    sklearn.utils.Bunch
        ``data``, the columns ``Consumption``, ``Wind``, ``Solar`` and ``Wind+Solar``; ``target``, the column
        ``Consumption``, whose later values are to be predicted; ``frame`` (or ``index``, beside arrays);
        ``feature_names``, ``target_names`` and ``DESCR``.

    See Also
    --------
    sklrnn.datasets.fetch_ett : Loads of a transformer.
    sklrnn.datasets.get_data_home : Where downloads are kept.

    Notes
    -----
    Source: Open Power System Data, as the file ``opsd_germany_daily.csv`` of ``jenfly/opsd``. No licence is stated.

    Examples
    --------
    >>> from sklrnn.datasets import fetch_german_electricity
    >>> consumption = fetch_german_electricity().target  # doctest: +SKIP
    >>> consumption.shape, consumption.index.freqstr  # doctest: +SKIP
    ((4383,), 'D')
    """
    options = DownloadOptions(data_home, download_if_missing, n_retries, progressbar)
    table = TABLES["electricity"]
    frame = _read_table(table, options)
    return give_table(fetch_german_electricity, frame, target=table.target, return_X_y=return_X_y, as_frame=as_frame)


def fetch_bitcoin(
    *,
    return_X_y: bool = False,
    as_frame: bool = True,
    data_home: "str | os.PathLike[str] | None" = None,
    download_if_missing: bool = True,
    n_retries: int = 3,
    progressbar: bool = True,
) -> Any:
    """Load the daily price of bitcoin in US dollars; download it if necessary (0.3 MB).

    3,171 days from 2013-04-28 to 2022-01-01. The price of the last years is far above that of the first, so compare
    a network with repeating the last price, and see ``normalize_X="window"`` of the estimators.

    Parameters
    ----------
    return_X_y : bool, default=False
        Return ``(X, y)`` instead of a Bunch.

    as_frame : bool, default=True
        Give pandas objects; with False numpy arrays.

    data_home : str or path, default=None
        The folder of downloads; see :func:`get_data_home`.

    download_if_missing : bool, default=True
        Download the file if the folder has none; with False this is an OSError.

    n_retries : int, default=3
        How often a download that fails is tried again.

    progressbar : bool, default=True
        Show how far the download is.

    Returns
    -------
    sklearn.utils.Bunch
        ``data``, the columns ``open``, ``high``, ``low``, ``close``, ``volume`` and ``market cap``; ``target``, the
        column ``close``, whose later values are to be predicted; ``frame`` (or ``index``, beside arrays);
        ``feature_names``, ``target_names`` and ``DESCR``.

    See Also
    --------
    sklrnn.datasets.make_drifting_level : A generated series whose level drifts.
    sklrnn.datasets.get_data_home : Where downloads are kept.

    Notes
    -----
    Source: the file ``bitcoin.csv`` of ``skforecast/skforecast-datasets``, which states no origin of the prices.

    Examples
    --------
    >>> from sklrnn.datasets import fetch_bitcoin
    >>> X, y = fetch_bitcoin(return_X_y=True)  # doctest: +SKIP
    >>> X.shape, y.name  # doctest: +SKIP
    ((3171, 6), 'close')
    """
    options = DownloadOptions(data_home, download_if_missing, n_retries, progressbar)
    table = TABLES["bitcoin"]
    frame = _read_table(table, options)
    return give_table(fetch_bitcoin, frame, target=table.target, return_X_y=return_X_y, as_frame=as_frame)


def fetch_ett(
    *,
    subset: Subset = "ETTh1",
    return_X_y: bool = False,
    as_frame: bool = True,
    data_home: "str | os.PathLike[str] | None" = None,
    download_if_missing: bool = True,
    n_retries: int = 3,
    progressbar: bool = True,
) -> Any:
    """Load the loads and the oil temperature of an electricity transformer; download them if necessary (3 to 10 MB).

    Two transformers from July 2016 to June 2018: 17,420 hours of each (ETTh1 and ETTh2), or 69,680 quarters of an hour
    (ETTm1 and ETTm2). Nothing is missing. A benchmark of forecasts over long horizons.

    Parameters
    ----------
    subset : {"ETTh1", "ETTh2", "ETTm1", "ETTm2"}, default="ETTh1"
        The transformer, and hours or minutes.

    return_X_y : bool, default=False
        Return ``(X, y)`` instead of a Bunch.

    as_frame : bool, default=True
        Give pandas objects; with False numpy arrays.

    data_home : str or path, default=None
        The folder of downloads; see :func:`get_data_home`.

    download_if_missing : bool, default=True
        Download the file if the folder has none; with False this is an OSError.

    n_retries : int, default=3
        How often a download that fails is tried again.

    progressbar : bool, default=True
        Show how far the download is.

    Returns
    -------
    sklearn.utils.Bunch
        ``data``, the six loads ``HUFL``, ``HULL``, ``MUFL``, ``MULL``, ``LUFL`` and ``LULL`` and the oil temperature
        ``OT`` in degrees Celsius; ``target``, the column ``OT``, whose later values are to be predicted; ``frame`` (or
        ``index``, beside arrays); ``feature_names``, ``target_names`` and ``DESCR``.

    See Also
    --------
    sklrnn.datasets.fetch_german_electricity : Electricity by the day.
    sklrnn.datasets.get_data_home : Where downloads are kept.

    Notes
    -----
    Source: ``zhouhaoyi/ETDataset``. Licence: CC BY-ND 4.0. ETTh1 is checked by its SHA-256, the others by their columns
    and rows.

    References
    ----------
    H. Zhou et al., *Informer: Beyond Efficient Transformer for Long Sequence Time-Series Forecasting*, AAAI 2021.

    Examples
    --------
    >>> from sklrnn.datasets import fetch_ett
    >>> X, y = fetch_ett(return_X_y=True)  # doctest: +SKIP
    >>> X.shape, y.name  # doctest: +SKIP
    ((17420, 7), 'OT')
    """
    if subset not in get_args(Subset):
        raise ValueError(f"subset must be one of {', '.join(map(repr, get_args(Subset)))}, got {subset!r}.")
    options = DownloadOptions(data_home, download_if_missing, n_retries, progressbar)
    table = TABLES[subset]
    frame = _read_table(table, options)
    return give_table(fetch_ett, frame, target=table.target, return_X_y=return_X_y, as_frame=as_frame)
