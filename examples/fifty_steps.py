"""
Fifty steps: one value, ten values, a shifted sequence
======================================================

A well-known exercise: fifty steps of two waves with noise, and the question what comes next. The example answers it
for the next value and for the next ten, in the three ways that textbooks give: step by step, as one vector, and at
every step of the sequence.
"""

# %%
# The function ``make_waves`` draws as many series as are wanted: two waves of random frequency and phase, and noise.
# Textbooks use 10,000; a quarter of them is enough to see the order of the models.
from sklrnn.datasets import make_waves

X, y = make_waves(2500, random_state=0)
train, test = slice(2000), slice(2000, None)
print(X.shape, y.shape)

# %%
# The next value. A recurrent unit alone, three simple models, and a network. ``compare_estimators`` gives all of them
# the same split.
import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklrnn import GRURegressor, SimpleRNNRegressor, compare_estimators


class LastValue(RegressorMixin, BaseEstimator):
    def fit(self, X, y):
        return self

    def predict(self, X):
        return X[:, -1, 0]


options = {"max_epochs": 12, "batch_size": 64, "random_state": 0}
flatten = FunctionTransformer(lambda X: X[:, :, 0])
models = {
    "last value": LastValue(),
    "linear": make_pipeline(flatten, Ridge()),
    "SimpleRNN, 1 unit": SimpleRNNRegressor(units=1, **options),
    "SimpleRNN": SimpleRNNRegressor(units=20, **options),
    "GRU, stacked": GRURegressor(units=(20, 20), **options),
}
comparison = compare_estimators(
    models,
    X,
    y,
    cv=[(range(2000), range(2000, 2500))],
    scoring="neg_mean_squared_error",
)
comparison.summary()[["mean_squared_error", "parameters"]].round(4)

# %%
# The next ten values. This takes longer training, with a rate that falls. The first way: forecast one value, append it,
# forecast the next. Errors feed on errors.
X, ten = make_waves(2500, horizon=10, random_state=0)
longer = {"units": 32, "max_epochs": 30, "schedule": "one_cycle"}
one = GRURegressor(**longer, random_state=0)
one.fit(X[train], ten[train, 0])
seen = X[test]
for _ in range(10):
    value = one.predict(seen[:, -50:])
    seen = np.concatenate([seen, value[:, None, None]], axis=1)
step_by_step = seen[:, 50:, 0]

# %%
# The second way: all ten at once, as a vector with ten outputs.
vector = GRURegressor(**longer, random_state=0)
vector.fit(X[train], ten[train])
as_vector = vector.predict(X[test])

# %%
# The third way: the ten values after *each* step, a shifted sequence. The network is asked fifty times as often, so
# its gradients come from everywhere. Only the answer at the last step counts in the test.
X, shifted = make_waves(
    2500, horizon=10, return_sequences=True, random_state=0
)
sequence = GRURegressor(return_sequences=True, **longer, random_state=0)
sequence.fit(X[train], shifted[train])
at_each_step = sequence.predict(X[test])[:, -1]
print(shifted.shape)

# %%
# Their errors by distance, and one series:
import matplotlib.pyplot as plt

plt.rcParams.update(
    {"font.size": 13, "figure.constrained_layout.use": True}
)
ways = {
    "step by step": (step_by_step, "#D55E00"),
    "a vector": (as_vector, "#0072B2"),
    "at each step": (at_each_step, "#009E73"),
}
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4))
left.plot(range(26, 51), X[2000, 25:, 0], color="black", linewidth=3)
left.plot(range(51, 61), ten[2000], "k:", linewidth=3)
for name, (forecast, colour) in ways.items():
    error = ((forecast - ten[test]) ** 2).mean(axis=0)
    print(f"{name:13} mean squared error {error.mean():.4f}")
    left.plot(range(51, 61), forecast[0], color=colour, linewidth=2)
    right.plot(range(1, 11), error, color=colour, label=name, linewidth=3)
left.set(title="The next ten (dotted: true)", xlabel="step")
right.set(title="Error by distance", xlabel="steps ahead")
right.set_ylabel("mean squared error")
right.legend(frameon=False)
plt.show()
# sphinx_gallery_thumbnail_number = 1


# %%
# For the next value a linear model with 51 weights is hard to beat: 0.0032, against 0.0034 of the stacked GRU and 0.021
# of the last value. A sum of two waves is a linear recursion, so that is no surprise; one unit has 0.013.
#
# Ten values ahead the way of asking matters more than the network. Step by step and as a vector the error is 0.013 and
# 0.012; the same network, asked for ten values at each of its fifty steps, has 0.005.
