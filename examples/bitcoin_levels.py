"""
Bitcoin, and the lesson on levels
=================================

A CNN-LSTM reads 29 days of prices and forecasts the next one. In many pictures of this task the forecast lies on the
price and the R² is 0.99. This example shows why that means nothing, what happens to a network that has learnt levels,
and what is left once the level is taken out.
"""

# %%
# Daily closing prices from 2013 to 2022 come with ``fetch_bitcoin()``. This page is built without a network: where the
# file is not there, a made-up price takes its place, a random walk of logarithms, of which nothing can be forecast.
import numpy as np

from sklrnn.datasets import fetch_bitcoin

try:
    price = fetch_bitcoin(download_if_missing=False).target.to_numpy()
    source = "Bitcoin"
except OSError:
    random = np.random.default_rng(1)
    steps = random.normal(0.0015, 0.035, size=3171)
    price = 100 * np.exp(steps.cumsum())
    source = "made-up price"
print(f"{source}: {len(price)} days, {price[0]:.0f} to {price[-1]:.0f}")

# %%
# The task of the lectures: 29 prices in, the next one out, in batches of 128. The last 20 % of the days are the test.
from sklrnn import CNNLSTMRegressor, make_windows

X, y = make_windows(price, window_length=29)
n_train = int(0.8 * len(X))
train, test = slice(None, n_train), slice(n_train, None)

options = {
    "filters": 32,
    "kernel_size": 3,
    "units": 32,
    "batch_size": 128,
    "max_epochs": 30,
    "random_state": 0,
}
on_levels = CNNLSTMRegressor(**options).fit(X[train], y[train])

# %%
# A warning of ``predict`` says what is wrong before any score does: the prices of the test years lie outside of the
# range that the network was trained in.
import warnings

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    level_forecast = on_levels.predict(X[test])
for warning in caught:
    print(warning.message)

# %%
# Two ways out. The change of the logarithm has no level. Or each window is scaled by its own last value and spread, in
# X and in y, which ``normalize_X="window"`` does inside the network.
by_window = CNNLSTMRegressor(
    **options, normalize_X="window", normalize_y="window"
)
by_window.fit(X[train], y[train])

log_price = np.log(price)
changes, next_change = make_windows(np.diff(log_price), window_length=28)
on_changes = CNNLSTMRegressor(**options)
on_changes.fit(changes[train], next_change[train])
change = on_changes.predict(changes[test])

forecasts = {
    "last price": X[test][:, -1, 0],
    "network on prices": level_forecast,
    "network, scaled windows": by_window.predict(X[test]),
    "network on log changes": X[test][:, -1, 0] * np.exp(change),
}

# %%
# The R² of all but one is beyond 0.9, that of the last price too. The error against the last price is the number to
# look at, and how often the direction was right.
from sklearn.metrics import r2_score

naive_error = np.abs(forecasts["last price"] - y[test]).mean()
print(f"{'':24}{'R²':>6}{'error':>8}{'direction':>11}")
for name, forecast in forecasts.items():
    error = np.abs(forecast - y[test]).mean() / naive_error
    moved = np.sign(y[test] - X[test][:, -1, 0])
    right = np.sign(forecast - X[test][:, -1, 0]) == moved
    direction = "" if name == "last price" else f"{right.mean():.0%}"
    r2 = r2_score(y[test], forecast)
    print(f"{name:24}{r2:6.2f}{error:8.2f}{direction:>11}")

# %%
# The picture that convinces, and the one that counts.
import matplotlib.pyplot as plt

plt.rcParams.update(
    {"font.size": 13, "figure.constrained_layout.use": True}
)
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4))
shown = {"network on prices": "#D55E00", "last price": "#0072B2"}
left.plot(y[test], color="black", linewidth=3, label="true")
for name, colour in shown.items():
    left.plot(forecasts[name], color=colour, label=name)
left.set(title=f"Price: {source}", xlabel="day", ylabel="USD")
left.legend(frameon=False)
true_change = y[test] / X[test][:, -1, 0] - 1
right.plot(100 * true_change, 100 * change, ".", color="#009E73")
right.axhline(0, color="black", linewidth=1)
right.set(title="Tomorrow's change, in %", xlabel="true")
right.set(ylabel="forecast", ylim=(-8, 8), xlim=(-15, 15))
plt.show()

# sphinx_gallery_thumbnail_number = 1

# %%
# The last price has an R² of 0.99, on Bitcoin and on a random walk. So R² says nothing here, and a curve that lies on
# the price is a curve that repeats it. The network on prices fails: above the prices of its training years its answer
# stays flat, and it errs sixteen times as much. Scaled windows and log changes bring it back to the last price, and not
# beyond: errors of 1.00 to 1.07, a direction like that of a coin. To beat the last price it would have to know
# something that the price of yesterday does not tell.
