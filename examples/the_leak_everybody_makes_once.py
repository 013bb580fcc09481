"""
The leak that everybody makes once
==================================

Cut a series into windows, shuffle them, cross-validate: each step looks like good practice, and together they make
almost any model look brilliant, even one that forecasts pure chance. Here the leak is made on purpose, caught, and
mended. On real weather it does worse than flatter: it picks the wrong model.
"""

# %%
# A random walk is the sum of coin flips. Where it goes from here cannot be known, so any skill in forecasting its
# change over the next 24 steps is a mistake in the evaluation, and nothing else.
import numpy as np

from sklrnn import make_windows

walk = np.random.default_rng(0).normal(size=3000).cumsum()
windows, future = make_windows(walk, window_length=48, horizon=24)
X = windows[:, :, 0]
change = future[:, -1] - X[:, -1]
print(X.shape, change.shape)

# %%
# The leak: windows first, then folds of shuffled windows. The nearest neighbours of a window explain most of what
# happens after it. When the folds follow time instead, and leave out the 23 windows whose future reaches into the test
# set, they are worse than the mean.
from sklearn.model_selection import KFold, TimeSeriesSplit, cross_val_score
from sklearn.neighbors import KNeighborsRegressor

neighbours = KNeighborsRegressor(5)
shuffled = KFold(5, shuffle=True, random_state=0)
in_order = TimeSeriesSplit(5, gap=23)
scores = {
    "shuffled": cross_val_score(neighbours, X, change, cv=shuffled).mean(),
    "in order": cross_val_score(neighbours, X, change, cv=in_order).mean(),
}
print({name: round(score, 2) for name, score in scores.items()})

# %%
# The picture shows why. The windows that are most alike are those that begin one step apart; shuffling puts one into
# the test set and the other into the training set, and of the 24 steps to be forecast the training set holds 23.
import matplotlib.pyplot as plt

train, test = next(shuffled.split(X))
one = test[len(test) // 2]
twin = train[np.abs(train - one).argmin()]

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained", width_ratios=[2, 1])
for sample, name, shift in [(one, "test window", 0.0), (twin, "its twin in training", 1.5)]:
    past, ahead = np.arange(sample, sample + 48), np.arange(sample + 48, sample + 72)
    (line,) = left.plot(past, walk[past] + shift, label=name)
    left.plot(ahead, walk[ahead] + shift, color=line.get_color(), linestyle=":")
left.set(title="What is known (line) and asked for (dots)", xlabel="step")
left.legend()
right.bar(list(scores), list(scores.values()), color=["tab:red", "tab:green"])
right.axhline(0, color="black", linewidth=1)
right.set(title="R² of neighbours on pure chance")

# %%
# Nobody needs to find such a leak by eye: the check knows what each window reads and what each target asks for, and
# names a pair of rows.
from sklrnn import check_no_leakage

try:
    check_no_leakage(shuffled, walk[:, np.newaxis], window_length=48, horizon=24)
except ValueError as error:
    print(error)
check_no_leakage(in_order, walk[:, np.newaxis], window_length=48, horizon=24)

# %%
# Now real weather: by how much will the temperature have changed in 24 hours? Three models are judged both ways. First
# the leak, with windows cut before the split.
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklrnn import GRURegressor, PurgedTimeSeriesSplit, SlidingWindow, supervise
from sklrnn.datasets import load_jfk_weather

weather, later = supervise(load_jfk_weather().astype(np.float32), target="temp", horizon=[24])
warming = later - weather["temp"]
models = {
    "neighbours": [SlidingWindow(window_length=24, flatten=True), StandardScaler(), KNeighborsRegressor(5)],
    "ridge": [SlidingWindow(window_length=24, flatten=True), StandardScaler(), Ridge()],
    "GRU": [SlidingWindow(window_length=24), GRURegressor(units=16, max_epochs=5, batch_size=64, random_state=0)],
}
leaky = {}
for name, (window, *steps) in models.items():
    cut = window.fit_transform(weather)
    leaky[name] = cross_val_score(make_pipeline(*steps), cut, warming, cv=KFold(3, shuffle=True, random_state=0))

# %%
# Then the right way: the rows are split, in the order of time, and the window is a step of the pipeline. Each test set
# begins after all targets of training are known; its first rows find their past among the training rows.
purged = PurgedTimeSeriesSplit(4, horizon=24, window_length=24, test_size=1000)
honest = {name: cross_val_score(make_pipeline(*steps), weather, warming, cv=purged) for name, steps in models.items()}
print(f"{'mean R²':12}{'leaky':>8}{'honest':>8}")
for name in models:
    print(f"{name:12}{leaky[name].mean():8.2f}{honest[name].mean():8.2f}")

# %%
# Judged with the leak, the neighbours win by far, the GRU follows, and ridge regression seems hardly worth a try.
# Judged honestly the order turns round: ridge explains a fifth of tomorrow's change, as it did with the leak, the GRU
# of this size and training explains nothing, and the neighbours are worse than the mean. The leak pays those who learn
# by heart. Ridge has too few weights for it, so its two scores agree, which is a hint worth looking for: where a
# flexible model beats a stiff one by a mile, look at the split before the model.
#
# The remedy took no new tool: keep rows as rows, make the window a step of the pipeline, and let the splitter know the
# horizon.
