"""How good are the forecasters without tuning? M4 Hourly, air passengers, German electricity, ETTh1.

    SKLRNN_DATA=<folder> python docs/benchmarks/forecast_accuracy.py m4 passengers electricity ett --seeds 3

What was chosen with a test part in view is said in the table of results. All settings are defaults, except the window
of 96 rows that others take on ETTh1.
"""

import argparse
import copy
import os
import pickle
import time
from pathlib import Path

import numpy as np
import pandas as pd

from sklrnn.datasets import load_air_passengers
from sklrnn.forecasting import GRUForecaster, LSTMForecaster, compare


def read(name, **options):
    return pd.read_csv(Path(os.environ["SKLRNN_DATA"]) / name, **options)


# -- M4 Hourly --------------------------------------------------------------------------------------------------------


def smape(actual, forecast):
    return float(np.mean(200 * np.abs(actual - forecast) / (np.abs(actual) + np.abs(forecast))))


def mase(series, actual, forecast, season=24):
    errors = [
        np.mean(np.abs(a - f)) / np.mean(np.abs(s[season:] - s[:-season]))
        for s, a, f in zip(series, actual, forecast, strict=True)
    ]
    return float(np.mean(errors))


def naive2(series, horizon, season=24):
    """The last value, after a seasonal adjustment where a test finds a season: M4's measuring stick."""
    if not is_seasonal(series, season):
        return np.full(horizon, series[-1])
    weights = np.r_[0.5, np.ones(season - 1), 0.5] / season
    trend = np.convolve(series, weights, mode="valid")
    ratios = np.full(len(series), np.nan)
    ratios[season // 2 : season // 2 + len(trend)] = series[season // 2 : season // 2 + len(trend)] / trend
    phases = np.arange(len(series)) % season
    indices = np.array([np.nanmean(ratios[phases == phase]) for phase in range(season)])
    indices *= season / indices.sum()
    ahead = indices[(len(series) + np.arange(horizon)) % season]
    return series[-1] / indices[phases[-1]] * ahead


def is_seasonal(series, season):
    n = len(series)
    centred = series - series.mean()
    correlations = np.array([centred[lag:] @ centred[: n - lag] for lag in range(1, season + 1)]) / (centred @ centred)
    limit = 1.645 * np.sqrt((1 + 2 * np.sum(correlations[:-1] ** 2)) / n)
    return abs(correlations[-1]) > limit


def m4(kinds, seeds, networks):
    train, test = (read(f"m4/Hourly-{part}.csv.gz").set_index("V1") for part in ("train", "test"))
    series = [row[~np.isnan(row)] for row in train.to_numpy(dtype=float)]
    actual = test.to_numpy(dtype=float)
    horizon = actual.shape[1]
    reference = np.array([naive2(s, horizon) for s in series])
    units = smape(actual, reference), mase(series, actual, reference)
    print(f"M4 Hourly, Naive2: sMAPE {units[0]:.3f} (published 18.383), MASE {units[1]:.3f} (published 2.395)")

    def owa(forecast):
        return 0.5 * (smape(actual, forecast) / units[0] + mase(series, actual, forecast) / units[1])

    print(f"  seasonal naive: OWA {owa(np.array([np.tile(s[-24:], 2) for s in series])):.3f}")
    keys = np.repeat(train.index, [len(s) for s in series])
    times = np.concatenate([np.arange(len(s)) for s in series])
    index = pd.MultiIndex.from_arrays([keys, times], names=["series", "hour"])
    y = pd.DataFrame({"value": np.concatenate(series)}, index=index)
    for kind in kinds:
        scores = []
        for seed in range(seeds):
            start = time.perf_counter()
            model = kind(n_networks=networks, random_state=seed).fit(y, fh=range(1, horizon + 1))
            fitted = time.perf_counter()
            model = pickle.loads(pickle.dumps(model))
            loaded = time.perf_counter()
            forecast = model.predict().to_numpy().reshape(len(series), horizon)
            took = time.perf_counter() - loaded
            scores.append(owa(forecast))
            print(
                f"  {kind.__name__}, {len(model.networks_)} network(s), seed {seed}: OWA {scores[-1]:.4f} "
                f"(sMAPE {smape(actual, forecast):.3f}, MASE {mase(series, actual, forecast):.3f}), "
                f"fit {fitted - start:.0f} s, forecast of all series {took:.2f} s",
                flush=True,
            )
            if len(model.networks_) > 1:
                alone = []
                for network in model.networks_:
                    one = copy.copy(model)
                    one.networks_ = [network]
                    alone.append(owa(one.predict().to_numpy().reshape(len(series), horizon)))
                print(f"    each network alone: {np.round(alone, 4)}", flush=True)
        print(f"  {kind.__name__}: OWA {np.mean(scores):.4f}, from {min(scores):.4f} to {max(scores):.4f}")


# -- one series -------------------------------------------------------------------------------------------------------


def passengers(kinds, seeds, networks):
    classical = {name: name for name in ("seasonal_naive", "theta", "ets", "arima")}
    ours = {
        f"{kind.__name__}, seed {seed}": kind(n_networks=networks, random_state=seed)
        for kind in kinds
        for seed in range(seeds)
    }
    # The last 36 months, cut at every one that leaves twelve to forecast.
    print(compare({**classical, **ours}, load_air_passengers(), horizon=12, n_splits=25, step=1), flush=True)


def electricity(kinds, seeds, networks):
    frame = read("opsd_germany_daily.csv.gz", index_col=0, parse_dates=True)
    y = frame.iloc[:, 0].asfreq("D").to_frame("consumption")
    past, test = y.loc[:"2015"], y.loc["2016":]
    naive = float(np.abs(y.shift(7).loc["2016":] - test).mean().iloc[0])
    print(f"German electricity, next day, {len(test)} days, MAE in GWh: seasonal naive {naive:.2f}")
    for kind in kinds:
        errors = []
        for seed in range(seeds):
            start = time.perf_counter()
            model = kind(n_networks=networks, random_state=seed).fit(past, fh=[1])
            took = time.perf_counter() - start
            one_step = model.predict_rolling(test)
            errors.append(float((one_step["y_pred"] - one_step["y_true"]).abs().mean()))
            print(
                f"  {kind.__name__} seed {seed}: {errors[-1]:.2f}, {errors[-1] / naive:.3f} of naive, fit {took:.0f} s"
            )
        print(f"  {kind.__name__}: {np.mean(errors) / naive:.3f} of the seasonal naive error", flush=True)


def ett(kinds, seeds, networks):
    frame = read("ETTh1.csv.gz", index_col=0, parse_dates=True).asfreq("h")
    months = 30 * 24
    train_rows, test_rows = 12 * months, 4 * months
    first_test = 16 * months
    scale = frame.iloc[:train_rows]
    frame = (frame - scale.mean()) / scale.std(ddof=0)
    for columns, horizon in ((["OT"], 24), (list(frame.columns), 24), (list(frame.columns), 96)):
        y = frame[columns]
        past, test = y.iloc[:first_test], y.iloc[first_test : first_test + test_rows]
        actual = np.lib.stride_tricks.sliding_window_view(test.to_numpy(), horizon, axis=0)
        last = y.to_numpy()[first_test - 1 :][: len(actual), :, np.newaxis]
        print(
            f"ETTh1, {len(columns)} column(s), 96 to {horizon}, {len(actual)} windows: last value MSE "
            f"{np.mean((actual - last) ** 2):.4f}"
        )
        for kind in kinds:
            errors = []
            for seed in range(seeds):
                start = time.perf_counter()
                model = kind(window_length=96, n_networks=networks, random_state=seed)
                model.fit(past.iloc[:train_rows], fh=range(1, horizon + 1))
                took = time.perf_counter() - start
                model.update(past.iloc[train_rows:], update_params=False)
                forecasts = model.predict_rolling(test)
                errors.append(float(((forecasts["y_pred"] - forecasts["y_true"]) ** 2).mean(axis=None)))
                print(f"  {kind.__name__} seed {seed}: MSE {errors[-1]:.4f}, fit {took:.0f} s", flush=True)
            print(f"  {kind.__name__}: MSE {np.mean(errors):.4f}")


KINDS = {"gru": GRUForecaster, "lstm": LSTMForecaster}
SETS = {"m4": m4, "passengers": passengers, "electricity": electricity, "ett": ett}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", default=list(SETS), choices=list(SETS))
    parser.add_argument("--cells", nargs="*", default=list(KINDS), choices=list(KINDS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--networks", type=lambda n: n if n == "auto" else int(n), default="auto")
    arguments = parser.parse_args()
    for name in arguments.sets:
        SETS[name]([KINDS[cell] for cell in arguments.cells], arguments.seeds, arguments.networks)


if __name__ == "__main__":
    main()
