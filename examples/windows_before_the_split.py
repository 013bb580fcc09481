"""
The leak: windows before the split
==================================

Cut a series into windows, shuffle them, cross-validate: each step looks like good practice, but together they leak
test data into training, and almost any model looks good. This example makes the leak on purpose, detects it and
removes it. On weather data the leak makes the wrong model win.
"""

# %%
# The steps of a random walk are independent, so its change over the next 24 steps can't be forecast. A good score is
# therefore an error in the evaluation.
import numpy as np

from sklrnn import make_windows

walk = np.random.default_rng(0).normal(size=3000).cumsum()
windows, future = make_windows(walk, window_length=48, horizon=24)
X = windows[:, :, 0]
change = future[:, -1] - X[:, -1]
print(f"{len(X)} windows of {X.shape[1]} steps")

# %%
# The leak: windows first, then shuffled folds. The nearest neighbours of a window seem to explain most of what follows
# it. With folds in time order, and without the 23 windows whose targets reach into the test set, they are worse than
# the mean.
from sklearn.model_selection import KFold, TimeSeriesSplit, cross_val_score
from sklearn.neighbors import KNeighborsRegressor

neighbours = KNeighborsRegressor(5)
shuffled = KFold(5, shuffle=True, random_state=0)
in_order = TimeSeriesSplit(5, gap=23)
scores = {
    "shuffled": cross_val_score(neighbours, X, change, cv=shuffled).mean(),
    "in order": cross_val_score(neighbours, X, change, cv=in_order).mean(),
}
for name, score in scores.items():
    print(f"R² with folds {name}: {score:.2f}")

# %%
# The plot shows why. The most similar windows start one step apart. Shuffling puts one of them into the test set and
# the other into the training set, which then contains 23 of the 24 steps to be forecast.
import matplotlib.pyplot as plt

train, test = next(shuffled.split(X))
one = test[len(test) // 2]
nearest = train[np.abs(train - one).argmin()]


plt.rcParams["font.size"] = 15
figure, ax = plt.subplots(figsize=(8, 4.5), layout="constrained")
for sample, name, shift in [(one, "test", 0), (nearest, "training", 1.5)]:
    steps = np.arange(sample, sample + 72)
    (line,) = ax.plot(steps[:48], walk[steps[:48]] + shift, label=name)
    color = line.get_color()
    ax.plot(steps[48:], walk[steps[48:]] + shift, ":", color=color)
ax.set(title="Windows (lines) and targets (dots)", xlabel="step")
ax.legend()
plt.show()

# %%
# The function ``check_no_leakage`` detects the leak. It computes which rows each window and each target contain, and
# names a pair of rows.
from sklrnn import check_no_leakage

try:
    check_no_leakage(
        shuffled, walk[:, np.newaxis], window_length=48, horizon=24
    )
except ValueError as error:
    print(error)
check_no_leakage(
    in_order, walk[:, np.newaxis], window_length=48, horizon=24
)

# %%
# Now weather data: by how much does the temperature change in 24 hours? Three models are evaluated in both ways. First
# with the leak, windows before the split.
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklrnn import (
    GRURegressor,
    PurgedTimeSeriesSplit,
    SlidingWindow,
    supervise,
)
from sklrnn.datasets import load_jfk_weather

weather, later = supervise(
    load_jfk_weather().astype(np.float32), target="temp", horizon=[24]
)
warming = later - weather["temp"]
lags = SlidingWindow(window_length=24, flatten=True)
gru = GRURegressor(units=16, max_epochs=5, batch_size=64, random_state=0)
models = {
    "neighbours": [lags, StandardScaler(), KNeighborsRegressor(5)],
    "ridge": [lags, StandardScaler(), Ridge()],
    "GRU": [SlidingWindow(window_length=24), gru],
}
folds = KFold(3, shuffle=True, random_state=0)
leaky = {
    name: cross_val_score(
        make_pipeline(*steps),
        window.fit_transform(weather),
        warming,
        cv=folds,
    ).mean()
    for name, (window, *steps) in models.items()
}

# %%
# Then correctly: the rows are split in time order, and the window is a step of the pipeline. Each test set starts after
# all training targets are known, and the windows of its first rows contain training rows.
purged = PurgedTimeSeriesSplit(
    4, horizon=24, window_length=24, test_size=1000
)
correct = {
    name: cross_val_score(
        make_pipeline(*steps), weather, warming, cv=purged
    ).mean()
    for name, steps in models.items()
}
for name in models:
    print(
        f"{name:12} leaky {leaky[name]:5.2f}, correct {correct[name]:5.2f}"
    )

# %%
# The two evaluations side by side:
places = np.arange(len(models))
plt.rcParams["font.size"] = 17
figure, ax = plt.subplots(figsize=(7.5, 5), layout="constrained")
ax.bar(places - 0.2, list(leaky.values()), 0.4, label="with the leak")
ax.bar(places + 0.2, list(correct.values()), 0.4, label="without")
ax.axhline(0, color="black", linewidth=1)
ax.set_xticks(places, list(models))
ax.set(ylabel="R²", title="Which model is best?")
ax.legend()
plt.show()

# sphinx_gallery_thumbnail_number = 2

# %%
# With the leak, the nearest neighbours win clearly, the GRU follows, and ridge regression seems useless. Evaluated
# correctly, the order is reversed: ridge explains a fifth of the change, as it did with the leak, the GRU of this size
# and training explains nothing, and the nearest neighbours are worse than the mean. The leak rewards models that
# memorise. Ridge has too few weights to memorise, so its two scores agree. This is a useful warning sign: if a flexible
# model is far better than a simple one, check the split before you trust it.
#
# To avoid the leak, split rows instead of windows, make the window a step of the pipeline, and use a splitter that
# knows the horizon.
