"""Which season does sp="auto" choose, and does it help? Real panels and series, their training parts only.

    SKLRNN_DATA=<folder> python docs/benchmarks/seasons.py

For each set: the season of a rule with a fixed threshold on the autocorrelation (the usual season of the frequency
where the median autocorrelation at it is 0.3), and the chosen one with dates and without; the share of series that get
the usual season on their own; the share of the error that the usual season saves in simple forecasts of the last rows.
"""

import gzip
import os
from pathlib import Path

import numpy as np
import pandas as pd

from sklrnn.datasets import load_air_passengers, load_sunspots
from sklrnn.forecasting.season_trial import try_season
from sklrnn.forecasting.seasonality import find_season

# Series that are judged on their own.
N_ALONE = 150


def path(name):
    return Path(os.environ["SKLRNN_DATA"]) / name


def column(name, *names):
    return list(pd.read_csv(path(f"{name}.csv.gz"))[list(names)].to_numpy(dtype=float).T)


def archive(name):
    """The series of a file in the .tsf format."""
    with gzip.open(path(f"{name}.tsf.gz"), "rt", encoding="latin1") as file:
        lines = file.read().split("@data")[1].strip().splitlines()
    return [np.array(line.rsplit(":", 1)[1].replace("?", "nan").split(","), dtype=float) for line in lines]


def m4_hourly():
    table = pd.read_csv(path("m4/Hourly-train.csv.gz")).set_index("V1").to_numpy(dtype=float)
    return [row[~np.isnan(row)] for row in table]


# The series, the last rows that are kept out as a test part, the frequency, and its usual season.
SETS = {
    "M1 monthly": (lambda: archive("m1_monthly"), 18, "M", 12),
    "M1 yearly": (lambda: archive("m1_yearly"), 6, "Y", 1),
    "M3 quarterly": (lambda: archive("m3_quarterly"), 8, "Q", 4),
    "FRED-MD": (lambda: archive("fred_md"), 12, "M", 12),
    "M4 Hourly": (m4_hourly, 0, "h", 24),  # its test part is another file
    "ETTh1": (lambda: column("ETTh1", "HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT"), 17420 - 8640, "h", 24),
    "US births": (lambda: archive("us_births"), 30, "D", 7),
    "air passengers": (lambda: [load_air_passengers().to_numpy(dtype=float)], 36, "M", 12),
    "CO2, weekly": (lambda: column("co2_weekly", "co2"), 104, "W-SAT", 52),
    "sunspots": (lambda: [load_sunspots().to_numpy(dtype=float)], 22, "Y", 1),
    "Victoria, half-hourly": (lambda: column("vic_electricity", "Demand"), 48 * 56, "30min", 48),
    "Melbourne, daily minimum": (lambda: column("daily_min_temperatures", "Temp"), 365, "D", 7),
}


def threshold_rule(series, season):
    """The usual season where the median autocorrelation, after a quadratic trend is removed, is 0.3."""
    found = []
    for values in series[:: max(1, len(series) // 50)]:
        time = np.arange(len(values))
        known = ~np.isnan(values)
        trend = np.polyval(np.polyfit(time[known], values[known], 2), time)
        rest = np.where(known, values - trend, 0.0)
        if len(rest) >= 3 * season and rest.any():
            found.append(rest[season:] @ rest[:-season] / (rest @ rest))
    return season if found and np.median(found) >= 0.3 else 1


def main():
    print(f"{'':26}{'series':>7}{'threshold':>10}{'chosen':>8}{'no dates':>9}{'alone':>7}{'saved':>7}")
    for name, (load, n_test, freq, usual) in SETS.items():
        series = [values[: len(values) - n_test] for values in load()]
        threshold = threshold_rule(series, usual) if usual > 1 else "-"
        alone, saved = "-", "-"
        if usual > 1:
            seasons = [find_season(values, freq) for values in series[:N_ALONE]]
            alone = f"{np.mean(np.array(seasons) == usual):.0%}"
            trial = try_season(series, usual, min(usual, 12))
            saved = "-" if trial is None else f"{trial.gain:.0%}"
        dated, plain = find_season(series, freq), find_season(series)
        print(f"{name:26}{len(series):7}{threshold:>10}{dated:8}{plain:9}{alone:>7}{saved:>7}")


if __name__ == "__main__":
    main()
