"""
Backtest: recurrent networks and classical forecasters
======================================================

Twelve years of airline passengers, one number a month, are the standard series of forecasting textbooks. The series
is short, which favours classical methods. We compare four recurrent networks with five classical forecasters on
identical cut-offs in the last three years, all with their defaults. This takes about half a minute on two cores.
"""

# %%
# The series is bundled with the package. It has a trend and a yearly season whose size grows with the level.
from sklrnn.datasets import load_air_passengers

passengers = load_air_passengers()
print(passengers.tail(3))

# %%
# The networks are forecasters of sktime. They choose window, season and scaling themselves. The seed makes the run
# reproducible.
from sklrnn.forecasting import (
    CNNLSTMForecaster,
    GRUForecaster,
    LSTMForecaster,
    SimpleRNNForecaster,
)

networks = {
    "SimpleRNN": SimpleRNNForecaster(random_state=0),
    "GRU": GRUForecaster(random_state=0),
    "LSTM": LSTMForecaster(random_state=0),
    "CNN-LSTM": CNNLSTMForecaster(random_state=0),
}

# %%
# Classical forecasters are given by name, and choose their form at each cut-off. Three of them need statsmodels; if it
# is missing, ``compare`` says what to install.
classical = ["seasonal_naive", "drift", "theta", "ets", "arima"]

# %%
# The last 36 months are the test data. There are nine cut-offs, three months apart. At each one, every model is fitted
# to the months before it and forecasts the next twelve.
from sklrnn.forecasting import compare

comparison = compare(
    {**networks, **{name: name for name in classical}},
    passengers,
    horizon=12,
    n_splits=9,
    step=3,
    n_jobs=2,
)
print(comparison)

# %%
# MASE is the mean absolute error divided by that of the seasonal naive forecast on the training data: below 1 is better
# than seasonal naive. The rank is a mean over the cut-offs, so one unusual year does not decide it. A 90 % interval
# should cover about nine of ten months; more is as wrong as less.
import matplotlib.pyplot as plt

errors = comparison.summary()["MASE"].sort_values(ascending=False)
colors = [
    "tab:blue" if name in networks else "gray" for name in errors.index
]
with plt.rc_context({"font.size": 17}):
    figure, ax = plt.subplots(figsize=(7.5, 5), layout="constrained")
    ax.barh(errors.index, errors, color=colors)
    ax.set(xlabel="MASE", title="Networks in blue", xticks=[0, 1, 2])

# %%
# The plot of the comparison shows the last year, and the share of the error of the seasonal naive forecast that each
# model saves, one to twelve months ahead.
figure = comparison.plot()
figure.savefig("compare_forecasters.png", dpi=120)

# %%
# On 144 numbers the classical models win, but not by much. ARIMA and exponential smoothing have the smallest errors.
# The networks follow, with two thirds of the error of seasonal naive or a little more, and are level with theta, the
# winner of a large competition. They differ little from each other: with so little data, the cell matters less than
# what all of them share, a whole season as one step and windows scaled one by one.
#
# Coverage is a different matter. The 90 % intervals of the networks and of exponential smoothing cover 83 to 89 % of
# the months, those of theta, ARIMA and the naive forecasts 72 to 80 %: most models are overconfident.
