"""Short annual and quarterly series: the network on each series and on the panel, against naive, theta and ETS.

    SKLRNN_DATA=<folder> python docs/benchmarks/short_series.py m1_yearly m3_quarterly --seeds 3

Local models are fitted to ``--series`` series, the same for all of them and drawn once; a panel is learnt from all
series of the set and scored on these. ``--validation`` leaves the last horizon of each series out: defaults are chosen
on what is before it. ``--baseline level`` shows the network without smoothing.

Printed for each model: the mean over series of MASE, and their geometric mean, each also divided by that of ETS; the
spread over seeds; CPU seconds of all fits and forecasts.
"""

import argparse
import time
import warnings
from functools import partial

import numpy as np
import pandas as pd
from _forecast_sets import SETS, ForecastSet, as_panel

from sklrnn.forecasting import GRUForecaster
from sklrnn.forecasting.comparison.baselines import SeriesTraits, make_classical
from sklrnn.forecasting.comparison.metrics import seasonal_scale

CLASSICAL = ("naive", "theta", "ets")


def drawn(data, n):
    """The same ``n`` series of a set in every run; none whose errors have no unit."""
    names = [name for name, y in data.series.items() if seasonal_scale(y.to_numpy(), data.sp) > 0]
    chosen = np.random.default_rng(0).choice(len(names), min(n, len(names)), replace=False)
    return ForecastSet({names[place]: data.series[names[place]] for place in sorted(chosen)}, data.horizon, data.sp)


def classical(name, data, seed):
    forecasts, fh = {}, range(1, data.horizon + 1)
    for key, y in data.split()[0].items():
        traits = SeriesTraits(sp=data.sp, positive=bool((y > 0).all()), n_rows=len(y))
        forecasts[key] = make_classical(name, traits).fit(y, fh=fh).predict()
    return forecasts


def local(data, baseline, seed):
    fh = range(1, data.horizon + 1)
    train = data.split()[0]
    model = GRUForecaster(baseline=baseline, random_state=seed)
    return {key: model.fit(y, fh=fh).predict() for key, y in train.items()}


def panel(data, baseline, seed):
    model = GRUForecaster(baseline=baseline, random_state=seed)
    forecasts = model.fit(as_panel(data.split()[0]), fh=range(1, data.horizon + 1)).predict()
    return {key: forecasts.loc[key, "y"] for key in data.series}


def scores(forecasts, data):
    """Mean and geometric mean of MASE."""
    train, test = data.split()
    errors = []
    for key, y in train.items():
        scale = seasonal_scale(y.to_numpy(), data.sp)
        if scale > 0:
            errors.append(np.abs(test[key].to_numpy() - forecasts[key].to_numpy()).mean() / scale)
    return np.array([np.mean(errors), np.exp(np.mean(np.log(np.maximum(errors, 1e-3))))])


def measure(run, n_seeds, data):
    """The scores, the range of the first over seeds, and CPU seconds of a run."""
    started = time.process_time()
    found = np.array([scores(run(seed), data) for seed in range(n_seeds)])
    seconds = (time.process_time() - started) / n_seeds
    return *found.mean(axis=0), f"{found[:, 0].min():.3f} to {found[:, 0].max():.3f}", seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", default=["m1_yearly", "m3_quarterly"])
    parser.add_argument("--series", type=int, default=60)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--baseline", default="auto")
    parser.add_argument("--validation", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    for name in options.sets:
        data = SETS[name]()
        data = data.validation() if options.validation else data
        some = drawn(data, options.series)
        runs = {model: (partial(classical, model, some), 1) for model in CLASSICAL}
        runs["network, local"] = partial(local, some, options.baseline), options.seeds
        runs["network, panel"] = partial(panel, data, options.baseline), options.seeds
        rows = [(model, *measure(run, n_seeds, some)) for model, (run, n_seeds) in runs.items()]
        table = pd.DataFrame(rows, columns=["model", "MASE", "geometric mean", "seeds", "CPU s"]).set_index("model")
        for column in ("MASE", "geometric mean"):
            table[f"{column} / ETS"] = table[column] / table.loc["ets", column]
        part = "validation" if options.validation else "test"
        print(f"{name}, {part} part, {len(some.series)} of {len(data.series)} series")
        print(table.round(3).to_string(), flush=True)


if __name__ == "__main__":
    main()
