"""The series that benchmarks of forecasters read, with their dates and the horizon to forecast.

A test part is the last horizon of a series. Choices are made on the horizon before it: ``validation`` cuts the test
part off.
"""

import gzip
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class ForecastSet:
    """Series of one frequency, and how far to forecast them. ``sp`` is the season that scaled errors use."""

    series: dict[str, pd.Series]
    horizon: int
    sp: int

    def validation(self) -> "ForecastSet":
        """The same without the test parts, and without series that are then shorter than two horizons and ten rows."""
        shorter = {name: one.iloc[: -self.horizon] for name, one in self.series.items()}
        least = max(2 * self.horizon, self.horizon + 10)
        return ForecastSet({name: y for name, y in shorter.items() if len(y) >= least}, self.horizon, self.sp)

    def some(self, n: int) -> "ForecastSet":
        """At most ``n`` of the series, spread over the set."""
        names = list(self.series)
        step = max(1, -(-len(names) // n))
        return ForecastSet({name: self.series[name] for name in names[::step]}, self.horizon, self.sp)

    def split(self) -> tuple[dict[str, pd.Series], dict[str, pd.Series]]:
        """Training and test parts."""
        train = {name: one.iloc[: -self.horizon] for name, one in self.series.items()}
        return train, {name: one.iloc[-self.horizon :] for name, one in self.series.items()}


def folder() -> Path:
    return Path(os.environ["SKLRNN_DATA"])


def as_panel(series: dict[str, pd.Series]) -> pd.DataFrame:
    """One frame for all series, indexed by series and time."""
    return pd.concat(series, names=["series", "time"]).to_frame("y")


def read_tsf(name: str, freq: str, *, horizon: int, sp: int) -> ForecastSet:
    """Read a file of the Monash archive; a series shorter than three horizons is left out."""
    series = {}
    with gzip.open(folder() / name, "rt", encoding="latin-1") as file:
        for line in file:
            if line.startswith(("#", "@")) or not line.strip():
                continue
            key, start, values = line.split(":")
            y = np.array(values.split(","), dtype=float)
            index = pd.period_range(start.split(" ")[0], periods=len(y), freq=freq)
            if len(y) >= 3 * horizon:
                series[key] = pd.Series(y, index, name="y")
    return ForecastSet(series, horizon, sp)


def _air_passengers() -> ForecastSet:
    from sklrnn.datasets import load_air_passengers

    y = load_air_passengers()
    return ForecastSet({"passengers": y.squeeze().rename("y")}, 12, 12)


def _etth1() -> ForecastSet:
    frame = pd.read_csv(folder() / "ETTh1.csv.gz", index_col=0, parse_dates=True)
    frame.index = frame.index.to_period("h")
    return ForecastSet({name: frame[name].rename("y") for name in frame}, 24, 24)


def _m4_hourly() -> ForecastSet:
    train, test = (pd.read_csv(folder() / f"m4/Hourly-{part}.csv.gz").set_index("V1") for part in ("train", "test"))
    rows = {
        name: np.concatenate([row[~np.isnan(row)], test.loc[name].to_numpy(float)])
        for name, row in zip(train.index, train.to_numpy(float), strict=True)
    }
    return ForecastSet({name: pd.Series(row, pd.RangeIndex(len(row)), name="y") for name, row in rows.items()}, 48, 24)


SETS = {
    "m1_monthly": lambda: read_tsf("m1_monthly.tsf.gz", "M", horizon=18, sp=12),
    "m1_yearly": lambda: read_tsf("m1_yearly.tsf.gz", "Y", horizon=6, sp=1),
    "m3_quarterly": lambda: read_tsf("m3_quarterly.tsf.gz", "Q", horizon=8, sp=4),
    "fred_md": lambda: read_tsf("fred_md.tsf.gz", "M", horizon=12, sp=12),
    "us_births": lambda: read_tsf("us_births.tsf.gz", "D", horizon=30, sp=7),
    "air_passengers": _air_passengers,
    "etth1": _etth1,
    "m4_hourly": _m4_hourly,
}
