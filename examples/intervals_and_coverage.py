"""
Prediction intervals: how sure is the forecast?
===============================================

A single number hides how sure a forecast is. A network can predict quantiles, or the mean and the spread of a normal
distribution, or its errors on held-out samples can give the width of an interval (conformal prediction). We make all
three for tomorrow's temperature in Seattle, promise 90 %, and count how many days keep the promise.
"""

# %%
# Four years of Seattle's weather are bundled. Two weeks are a sample, the highest temperature of the day after is its
# target, and the last year is the test set. The day of the year comes as two columns, sine and cosine.
import numpy as np

from sklrnn import make_windows
from sklrnn.datasets import load_seattle_weather

weather = load_seattle_weather().drop(columns="weather")
angle = 2 * np.pi * weather.index.dayofyear / 365.25
weather = weather.assign(sin=np.sin(angle), cos=np.cos(angle))
X, y = make_windows(weather, weather["temp_max"], window_length=14)
days = weather.index[14:]
train, test = days < "2015", days >= "2015"
print(f"{train.sum()} days to train on, {test.sum()} to test")

# %%
# One network for each kind of interval. ``calibration_cv=5`` trains five more networks, each without a fifth of the
# samples, whose errors there give the width: cross-conformal prediction. The coverage is 90 % if nothing else is asked
# for.
from sklrnn import GRURegressor

options = {"units": 16, "max_epochs": 30, "random_state": 0}
models = {
    "quantiles": GRURegressor(
        loss="quantile", quantiles=(0.05, 0.5, 0.95), **options
    ),
    "gaussian": GRURegressor(loss="gaussian", **options),
    "conformal": GRURegressor(calibration_cv=5, **options),
}
intervals = {
    name: model.fit(X[train], y[train]).predict_interval(X[test]).T
    for name, model in models.items()
}

# %%
# Coverage is the share of days inside. It is to be 90 %, in each season too. Among intervals that hold it, the narrower
# is better. The interval score counts both: the width, and twenty times what a day lies outside.
truth, month = y[test], days[test].month
is_summer = (month >= 5) & (month <= 10)
print("            coverage  summer  winter   width   score")
for name, (low, high) in intervals.items():
    inside = (low <= truth) & (truth <= high)
    outside = np.maximum(low - truth, 0) + np.maximum(truth - high, 0)
    width, score = (high - low).mean(), (high - low + 20 * outside).mean()
    print(
        f"{name:12}{inside.mean():8.1%}{inside[is_summer].mean():8.1%}",
        end="",
    )
    print(f"{inside[~is_summer].mean():8.1%}{width:8.1f}{score:8.1f}")

# %%
# Where does the difference between the seasons come from? The widths over the year tell:
import matplotlib.pyplot as plt

plt.rcParams["font.size"] = 16
figure, ax = plt.subplots(figsize=(8, 5), layout="constrained")
for name in ("quantiles", "conformal"):
    low, high = intervals[name]
    ax.plot(days[test].dayofyear, high - low, linewidth=2, label=name)
ax.set(xlabel="day of 2015", ylabel="width in °C", ylim=(0, None))
ax.legend()
plt.show()

# %%
# Ten weeks from May on, with the intervals of the quantiles. About one day in ten is to be outside.
shown = slice(120, 190)
low, high = intervals["quantiles"][:, shown]
day = days[test].dayofyear[shown]
figure, ax = plt.subplots(figsize=(8, 5), layout="constrained")
ax.fill_between(day, low, high, alpha=0.3, label="90 % interval")
ax.plot(day, truth[shown], "k.", markersize=9, label="measured")
ax.set(xlabel="day of 2015", ylabel="temperature in °C")
ax.legend(loc="lower right")
plt.show()

# sphinx_gallery_thumbnail_number = 2

# %%
# All three are close to what they promise: the quantiles and the conformal interval hold nine of ten days, the normal
# distribution a little less. But the conformal interval has the same width on every day. So it holds 86 % in summer,
# where the weather of this town is hard to forecast, and 93 % in winter. The quantiles learn how sure the forecast is:
# 6 °C wide in January, up to 12 °C in July, and right in both. They have the best interval score.
#
# Which to take? Quantiles, where the spread depends on the input and there are a thousand samples or more. Conformal
# intervals, where coverage matters most, or data are few: they suit any loss, and their promise needs no assumption but
# that the new days are like the old. A normal distribution, where any quantile may be asked for. And count the coverage
# on data that no network has seen, in the parts that matter to you.
