"""
The vanishing gradient, measured
================================

Every lecture draws it: backwards in time, the gradient of a simple RNN shrinks until nothing can be learnt from what
happened long ago, and gates are the remedy. This example measures it in trained networks, over 100 steps, and shows
the equation behind it at work.
"""

# %%
# The answer depends on the last five of a hundred steps, which every network can learn.
import numpy as np

from sklrnn import GRURegressor, LSTMRegressor, SimpleRNNRegressor

random = np.random.default_rng(0)
X = random.normal(size=(256, 100))
y = X[:, -5:].sum(axis=1)
options = {"units": 16, "max_epochs": 15, "random_state": 0}
models = {
    "SimpleRNN": SimpleRNNRegressor(**options).fit(X, y),
    "GRU": GRURegressor(**options).fit(X, y),
    "LSTM": LSTMRegressor(**options).fit(X, y),
}
for name, model in models.items():
    print(f"{name:10} R² {model.score(X, y):.3f}")

# %%
# The function ``gradient_flow`` measures how large the gradient of the output is with respect to an earlier state.
from sklrnn.inspection import gradient_flow

sizes = {
    name: gradient_flow(model, X[:20]).median(axis=1)
    for name, model in models.items()
}
print(f"{'steps back':>10}" + "".join(f"{name:>11}" for name in sizes))
for distance in (0, 10, 20, 40, 60, 90):
    row = [f"{size[distance]:>11.0e}" for size in sizes.values()]
    print(f"{distance:>10}" + "".join(row))

# %%
# The picture of the lectures, from real networks. The scale is logarithmic: a straight line is a product, one factor
# for each step.
import matplotlib.pyplot as plt

from sklrnn.inspection import GradientFlowDisplay

plt.rcParams.update(
    {"font.size": 13, "figure.constrained_layout.use": True}
)
figure, ax = plt.subplots(figsize=(7, 4.5))
for model in models.values():
    GradientFlowDisplay.from_estimator(model, X[:20], ax=ax)
ax.set(title="How far back the gradient reaches")
ax.set_ylabel("size of the gradient")
plt.show()

# sphinx_gallery_thumbnail_number = 1

# %%
# The factor by hand. In a simple RNN a step back multiplies the gradient by the recurrent weights W_h and by the slope
# of tanh, 1 - h². The largest factor of W_h alone is its spectral radius.
simple = models["SimpleRNN"]
cell = simple.module_.recurrent[0].forwards
W_h = cell.weight_hh_l0.detach().double().numpy()
h = simple.hidden_states(X[:20]).astype(float)
gradient = np.eye(16)[np.newaxis].repeat(20, axis=0)
for step in range(99, 39, -1):
    slope = 1 - h[:, step, np.newaxis, :] ** 2
    gradient = np.einsum("sij,jk->sik", gradient * slope, W_h)
head = simple.module_.head.weight.detach().double().numpy()
by_hand = np.linalg.norm(head @ gradient, axis=(1, 2))
print(f"sixty steps back, by hand: {np.median(by_hand):.1e}")
print(f"as measured:               {sizes['SimpleRNN'][60]:.1e}")
radius = np.abs(np.linalg.eigvals(W_h)).max()
print(f"spectral radius of W_h: {radius:.2f}")

# %%
# The LSTM's cell state is multiplied by the forget gate only. Its bias decides how much an untrained LSTM keeps.
figure, ax = plt.subplots(figsize=(7, 4.5))
for bias in (0.0, 1.0, 3.0):
    lstm = LSTMRegressor(forget_bias=bias, **options).fit(X, y)
    size = gradient_flow(lstm, X[:20]).median(axis=1)
    ax.semilogy(size, linewidth=3, label=f"forget_bias={bias:g}")
ax.set(xlabel="steps back", ylabel="gradient", title="LSTM")
ax.legend(frameon=False)
plt.show()

# %%
# Sixty steps back the gradient of the SimpleRNN has fallen to 3e-7, and that of the LSTM is a hundred times as large;
# ninety steps back, some thousand times. The product of sixty matrices, computed by hand, is what is measured. The
# spectral radius is 0.93, so W_h alone would leave 1 % of the gradient; the slope of tanh takes the rest.
#
# The GRU may surprise: its gradient vanishes fastest. Gates make it possible to keep, they do not force it. Five steps
# are all that this answer needs, and this GRU has learnt to forget the others. For the LSTM it is the initial bias of
# the forget gate that decides before training begins: with 3 instead of 0 the gradient a hundred steps back is larger
# by seven orders of magnitude. If an answer lies far back, ``forget_bias`` is what to set.
