"""
Do networks beat the textbook on one short series?
==================================================

Twelve years of airline passengers, one number a month: the series on which textbooks teach forecasting, and ground on
which networks should lose, being short. Here four recurrent networks meet five classical forecasters on the last three
years, month for month on the same terms, with everything at its defaults.
"""

# %%
# The series comes with the package. It has a trend, a yearly season, and swings that grow with the level.
from sklrnn.datasets import load_air_passengers

passengers = load_air_passengers()
print(passengers.tail(3))

# %%
# A network is a forecaster of sktime like any other: no window, no season and no scaling needs to be given. The seed
# makes the run repeatable.
from sklrnn.forecasting import CNNLSTMForecaster, GRUForecaster, LSTMForecaster, SimpleRNNForecaster

networks = {
    "SimpleRNN": SimpleRNNForecaster(random_state=0),
    "GRU": GRUForecaster(random_state=0),
    "LSTM": LSTMForecaster(random_state=0),
    "CNN-LSTM": CNNLSTMForecaster(random_state=0),
}

# %%
# The classical ones go by their names, and choose their form by themselves, anew at each cut-off. Three of them need
# statsmodels: where it is missing, ``compare`` says what to install.
classical = ["seasonal_naive", "drift", "theta", "ets", "arima"]

# %%
# The last 36 months are the test: nine times the series is cut, three months apart, and each time every model is fitted to
# the months before and asked for the next twelve.
from sklrnn.forecasting import compare

comparison = compare(
    {**networks, **{name: name for name in classical}}, passengers, horizon=12, n_splits=9, step=3, n_jobs=2, verbose=1
)
print(comparison)

# %%
# MASE is the mean absolute error, scaled by the in-sample error of the seasonal naive forecast: below 1 is better. The
# rank says how a model does from cut-off to cut-off, so that one lucky year does not decide. And an interval for 90 %
# should hold about nine of ten months: too many is as wrong as too few.
#
# The picture shows the last year, and how much of the error of "as a year ago" each model saves, one to twelve months
# ahead.
figure = comparison.plot()
figure.savefig("compare_forecasters.png", dpi=120)

# %%
# On 144 numbers the textbook wins, but not by much. ARIMA and exponential smoothing make the smallest errors; the networks
# come next, at about two thirds of what repeating the last year costs, and leave theta, the winner of a large competition,
# level or behind. Among each other they hardly differ: with so little to learn from, the cell matters less than what all
# of them share, a season as one step and windows on a scale of their own.
#
# Nor is the error all. Of the 90 % intervals, those of exponential smoothing and of the simple network hold nearly nine
# months of ten, all others fewer: most models know better where the series goes than how sure they may be.
