"""
Filters: noise, rising peaks and sudden drops
=============================================

A 1-D convolution slides a few weights along a series. Which weights remove noise, which answer to a rise, which to a
drop? First three filters are made by hand, as in a lecture. Then a network learns its own, from the labels alone.
"""

# %%
# Noisy series of 60 steps. Half of them have a slow rise that ends in a sudden drop; the others have it the other way
# round. Where it lies is random.
import numpy as np

random = np.random.default_rng(0)
n_samples, n_steps, width = 600, 60, 15
X = 0.3 * random.normal(size=(n_samples, n_steps))
y = random.choice(["sudden drop", "sudden rise"], size=n_samples)
for series, label in zip(X, y, strict=True):
    start = random.integers(5, n_steps - width - 5)
    ramp = np.linspace(0, 2, width)
    slow_first = label == "sudden drop"
    series[start : start + width] += ramp if slow_first else ramp[::-1]

# %%
# Three filters by hand. Equal weights are a moving average; weights that rise from -1 to 1 measure how steeply the
# series rises; with the opposite signs they measure how steeply it falls.
slope = np.linspace(-1, 1, 5) / 5
by_hand = {
    "remove noise": np.full(5, 1 / 5),
    "find rises": slope,
    "find drops": -slope,
}
one = X[np.flatnonzero(y == "sudden drop")[0]]
padded = np.concatenate([np.zeros(4), one])  # causal: only earlier steps
responses = {
    name: np.correlate(padded, weights, mode="valid")
    for name, weights in by_hand.items()
}

# %%
# The series, and what each filter makes of it. The network keeps what is above zero (ReLU).
import matplotlib.pyplot as plt

plt.rcParams.update(
    {"font.size": 13, "figure.constrained_layout.use": True}
)
colours = ("#0072B2", "#009E73", "#D55E00")
figure, axes = plt.subplots(2, 2, figsize=(9, 5), sharex=True)
axes[0, 0].plot(one, color="black", linewidth=2)
axes[0, 0].set_title("a series with a sudden drop")
for ax, name, colour in zip(axes.flat[1:], responses, colours, strict=True):
    ax.plot(np.maximum(responses[name], 0), color=colour, linewidth=3)
    ax.set_title(f"{name} (behind ReLU)")
plt.show()

# sphinx_gallery_thumbnail_number = 1

# %%
# A network that has filters only: ``cell=None``. Max pooling keeps the largest response of each filter, wherever it
# was, and logistic regression on these six numbers is all that follows.
from sklrnn import RecurrentClassifier

train, test = slice(400), slice(400, None)
model = RecurrentClassifier(
    cell=None,
    filters=6,
    kernel_size=5,
    pooling="max",
    max_epochs=60,
    random_state=0,
)
model.fit(X[train], y[train])
print(f"accuracy of new series: {model.score(X[test], y[test]):.3f}")
print(f"{model.n_parameters_} parameters")

# %%
# Its filters, and the random ones that training began with.
from sklrnn.inspection import FilterDisplay

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4))
display = FilterDisplay.from_estimator(model, X[:1], ax=left)
left.set_title("learned filters")
display.plot(right, weights="initial")
right.set_title("random filters")
plt.show()

# %%
# What each filter finds: its largest response in a series, averaged over the new series of each kind. This is what the
# last layer reads.
from sklrnn.inspection import filter_responses

largest = filter_responses(model, X[test]).groupby("sample").max()
largest.groupby(y[test]).mean().T.round(2)

# %%
# By hand or learnt, the shapes are the same. Filters 1, 4 and 5 have positive weights on the older steps and negative
# ones on the newer: they are those that find drops, and answer about three times as strongly to a sudden drop. Filter 3
# has positive weights only: a moving average, which answers to anything high. Filter 2 has been switched off, and
# filter 0 sees no difference. No filter for sudden rises is needed, as a series without a drop has one.
#
# 50 weights and no recurrent layer tell all new series apart, because the shape counts and not its place. Where the
# place or the order counts, filters alone are at a loss: see :doc:`weather_ladder`.
