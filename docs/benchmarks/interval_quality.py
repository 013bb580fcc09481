"""Do prediction intervals hold what they promise, and how wide are they?

    SKLRNN_DATA=<folder> python docs/benchmarks/interval_quality.py m1_yearly m3_quarterly --series 40

For each set the intervals of a network for every series ("local"), of one network for all of them ("panel"), and of
ETS and ARIMA for every series. ``--series`` limits how many series the local models are fitted to; panels are always
fitted to all, and evaluated on all and on those series. Sets of one or a few long series are cut at several origins.
``--validation`` leaves the last horizon of each series out: defaults are chosen on what is before it.

Printed for each model: the share of values within the 80, 90 and 95 % intervals; the share of forecasts (a series, or
an origin) of which the 90 % interval holds less than half; the mean interval score of the 95 % level and the mean
absolute error, both divided by the error of the seasonal naive forecast in the training part (MSIS, MASE); the width
of the 90 % interval in that unit at the first and the last step; and CPU seconds of a fit, and of a fit with intervals.
"""

import argparse
import time
import warnings

import numpy as np
import pandas as pd
from _forecast_sets import SETS, ForecastSet, as_panel

from sklrnn.forecasting import GRUForecaster
from sklrnn.forecasting.comparison.baselines import SeriesTraits, make_classical
from sklrnn.forecasting.comparison.metrics import seasonal_scale

LEVELS = [0.8, 0.9, 0.95]
# Sets of few series are cut at several origins; the steps between these.
ORIGINS = {"air_passengers": (25, 1), "us_births": (25, 30), "etth1": (20, 120)}


class Tally:
    """Scores of forecasts with intervals, one row for each series and origin."""

    def __init__(self):
        self.rows = []
        self.seconds = {"fit": 0.0, "with intervals": 0.0}

    def add(self, y_train, y_true, point, bounds, sp):
        """``bounds`` is shaped (level, 2, step)."""
        scale = float(seasonal_scale(np.asarray(y_train, float), sp))
        if not np.isfinite(scale) or scale <= 0:
            return
        lower, upper = bounds[:, 0], bounds[:, 1]
        inside = (lower <= y_true) & (y_true <= upper)
        width = (upper - lower) / scale
        alpha = 1 - np.array(LEVELS)[:, np.newaxis]
        outside = np.maximum(lower - y_true, 0) + np.maximum(y_true - upper, 0)
        score = (upper - lower + 2 / alpha * outside).mean(axis=1) / scale
        self.rows.append(
            {f"in {level:.0%}": share for level, share in zip(LEVELS, inside.mean(axis=1), strict=True)}
            | {"under half": inside[1].mean() < 0.5, "MSIS 95": score[2], "score 80": score[0], "score 90": score[1]}
            | {"MASE": np.abs(y_true - point).mean() / scale, "first width": width[1, 0], "last width": width[1, -1]}
            | {"wider with level": bool((np.diff(width, axis=0) > 0).all())}
        )

    def summary(self):
        return pd.DataFrame(self.rows).mean().round(3).to_dict() | {
            f"s, {what}": round(seconds, 1) for what, seconds in self.seconds.items()
        }


def forecast(model, y, horizon):
    """Points, bounds (level, 2, step), and CPU seconds of the fit and of fit and intervals."""
    fh = np.arange(1, horizon + 1)
    started = time.process_time()
    model.fit(y, fh=fh)
    fitted = time.process_time()
    point = model.predict()
    intervals = model.predict_interval(coverage=LEVELS)
    return point, intervals, fitted - started, time.process_time() - started


def bounds_of(intervals):
    """From sktime's frame of one series to (level, 2, step)."""
    return np.moveaxis(intervals.to_numpy().reshape(len(intervals), len(LEVELS), 2), 0, -1)


def origins_of(name, data):
    """The set at each origin; one origin for sets of many series."""
    n, step = ORIGINS.get(name, (1, 1))
    for back in range((n - 1) * step, -1, -step):
        yield ForecastSet({key: one.iloc[: len(one) - back] for key, one in data.series.items()}, data.horizon, data.sp)


def run_local(make, data, tally):
    train, test = data.split()
    for key, y in train.items():
        point, intervals, fit, whole = forecast(make(y), y.to_frame(), data.horizon)
        tally.seconds["fit"] += fit
        tally.seconds["with intervals"] += whole
        tally.add(y, test[key].to_numpy(), point.to_numpy().ravel(), bounds_of(intervals), data.sp)


def run_panel(make, data, tally):
    train, test = data.split()
    point, intervals, fit, whole = forecast(make(None), as_panel(train), data.horizon)
    tally.seconds["fit"] += fit
    tally.seconds["with intervals"] += whole
    for key, y in train.items():
        tally.add(y, test[key].to_numpy(), point.loc[key].to_numpy().ravel(), bounds_of(intervals.loc[key]), data.sp)


def classical(name, sp):
    def make(y):
        return make_classical(name, SeriesTraits(sp=sp, positive=bool((y > 0).all()), n_rows=len(y)))

    return make


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", default=[name for name in SETS if name != "m4_hourly"])
    parser.add_argument("--series", type=int, default=40)
    parser.add_argument("--origins", type=int, default=None, help="at most so many origins")
    parser.add_argument("--validation", action="store_true")
    parser.add_argument("--models", nargs="*", default=["panel", "local", "ets", "arima"])
    parser.add_argument("--rows", type=int, default=None, help="only the newest rows of each series")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--loss", default=None)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    table = []
    extra = {} if options.loss is None else {"loss": options.loss}
    for name in options.sets:
        data = SETS[name]()
        if options.validation:
            data = data.validation()
        if options.rows:
            data = ForecastSet(
                {key: one.iloc[-options.rows :] for key, one in data.series.items()}, data.horizon, data.sp
            )

        def network(y):
            return GRUForecaster(random_state=options.seed, **extra)

        runs = {
            "panel": (run_panel, network, data),
            "local": (run_local, network, data.some(options.series)),
            "ets": (run_local, classical("ets", data.sp), data.some(options.series)),
            "arima": (run_local, classical("arima", data.sp), data.some(options.series)),
        }
        for label in options.models:
            run, make, some = runs[label]
            if label == "panel" and len(data.series) == 1:
                continue
            tally = Tally()
            origins = list(origins_of(name, some))
            for at_origin in origins[:: max(1, len(origins) // (options.origins or len(origins)))]:
                run(make, at_origin, tally)
            table.append({"set": name, "model": label, "n": len(tally.rows)} | tally.summary())
            print(pd.DataFrame(table[-1:]).to_string(index=False), flush=True)
    print(pd.DataFrame(table).to_string(index=False))


if __name__ == "__main__":
    main()
