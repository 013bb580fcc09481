"""
Imputing gaps in a temperature record
=====================================

Linear interpolation fills a gap of an hour well. A gap of a day contains a whole night and a noon, and linear
interpolation draws a straight line through both. This example trains a network on the known hours to fill gaps of any
length. Values that are removed on purpose measure its error.
"""

# %%
# Hourly weather at New York's JFK airport is bundled with the package. Some hours are missing already. In addition, a
# tenth of the temperatures is removed, in blocks of one hour to two days. The other columns stay.
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
missing = weather.isna().sum().sum()
print(f"{removed.sum()} temperatures removed, {missing} values missing")

# %%
# In training, known values are masked, other ones in each epoch, and the network learns to reconstruct them. One
# imputer reads the hours on both sides of a gap, the other only those before it. This is the reduced setting, of 40
# epochs; the default makes more.
from sklrnn import RecurrentImputer

both_sides = RecurrentImputer(max_epochs=40, random_state=0)
past_only = RecurrentImputer(
    bidirectional=False, max_epochs=40, random_state=0
)
for imputer in (both_sides, past_only):
    imputer.set_output(transform="pandas")
filled = {
    "linear interpolation": weather.interpolate(),
    "network, both sides": both_sides.fit_transform(weather),
    "last value": weather.ffill(),
    "network, past only": past_only.fit_transform(weather),
}

# %%
# The mean absolute error where the true value is known, in short gaps and in long ones:
import pandas as pd

gap = pd.Series(removed)
length = gap.groupby((gap != gap.shift()).cumsum()).transform("size")
scored = removed & truth["temp"].notna().to_numpy()
short, long = scored & (length <= 24), scored & (length > 24)
print(f"{'mean error in °C':24}{'up to a day':>12}{'longer':>8}")
for name, table in filled.items():
    error = (table["temp"] - truth["temp"]).abs().to_numpy()
    print(f"{name:24}{error[short].mean():12.2f}{error[long].mean():8.2f}")

# %%
# Have known values changed?
known = weather.notna()
unchanged = filled["network, both sides"].where(known).equals(weather)
print("known values are unchanged:", unchanged)

# %%
# The plot shows the longest gap and the days around it.
import matplotlib.pyplot as plt

begins = int(length.where(removed).argmax())
shown = slice(begins - 48, begins + 120)
plt.rcParams["font.size"] = 16
figure, ax = plt.subplots(figsize=(8, 5.5), layout="constrained")
hours = np.arange(shown.start, shown.stop) - begins
ax.plot(hours, truth["temp"][shown], color="black", label="measured")
lines = {"linear interpolation": ":", "network, both sides": "-"}
for name, line in lines.items():
    values = filled[name]["temp"].where(removed)[shown]
    ax.plot(hours, values, line, linewidth=3, label=name)
ax.set(xlabel="hours since the gap began", ylabel="temperature in °C")
ax.set_ylim(15, 32)
ax.legend()
plt.show()

# %%
# In long gaps the network that reads both sides has a mean error of 1.3 °C, linear interpolation 2.1 °C. In gaps of up
# to a day it is 1.1 °C and 1.6 °C. The network has learnt that nights are cold, that a high dew point, which is still
# known, goes with warm air, and how fast temperature changes.
#
# The network that reads the past only has a harder task, as it does not know the end of the gap. It is still much
# better than the last value, and as good as linear interpolation, which knows the end. Use this one in front of a
# forecaster: its values do not depend on the future.
#
# Imputed values are point estimates. They are smoother than the weather, and have no prediction interval.
