"""
Stateful: a sequence that is longer than its segments
=====================================================

A machine runs for weeks, and its record is one sequence of thousands of steps. Training cuts it into segments. A
network that starts each segment with an empty state can't know what happened before. With ``stateful=True`` the state
goes on from segment to segment, as Keras's layers of this name do. We make a task which needs that, and see what
remains of a memory when it is cut.
"""

# %%
# A valve is opened and closed by short pulses: 1 opens it, -1 closes it, and long stretches of noise lie between. Is it
# open now? The answer depends on the newest pulse only, but this may be hundreds of steps ago.
import numpy as np


def record(n_steps, seed):
    rng = np.random.default_rng(seed)
    signal = 0.1 * rng.normal(size=n_steps)
    pulses = rng.random(n_steps) < 0.01
    signal[pulses] += rng.choice([-1, 1], size=pulses.sum())
    newest = np.maximum.accumulate(np.where(pulses, np.arange(n_steps), 0))
    return signal, signal[newest] > 0.5


signal, is_open = record(20_000, seed=0)
signal_new, is_open_new = record(5_000, seed=1)
print(f"a pulse every {20_000 / (np.abs(signal) > 0.5).sum():.0f} steps")

# %%
# Segments of 25 steps, in their order, are the rows of X, and y has a label for each step. Most segments hold no pulse.
length = 25


def segments(values):
    return values.reshape(-1, length)  # (segment, time)


X, y = segments(signal), segments(is_open)
X_new, y_new = segments(signal_new), segments(is_open_new)
with_pulse = (np.abs(X_new) > 0.5).any(axis=1)
print(f"{X.shape[0]} segments, {with_pulse.mean():.0%} with a pulse")

# %%
# Both networks are equal up to the parameter. The rows of a stateful network are cut into ``batch_size`` streams that
# train side by side; ten streams of 80 segments are much longer than the memory that is needed.
from sklrnn import GRUClassifier

options = {
    "units": 16,
    "return_sequences": True,
    "batch_size": 10,
    "max_epochs": 15,
    "random_state": 0,
}
models = {
    "stateless": GRUClassifier(**options).fit(X, y),
    "stateful": GRUClassifier(stateful=True, **options).fit(X, y),
}
for name, model in models.items():
    right = model.predict(X_new) == y_new
    print(
        f"{name:10} accuracy {right.mean():.1%};"
        f" in segments without a pulse {right[~with_pulse].mean():.1%}"
    )

# %%
# A call of ``predict`` starts with an empty state too, so that its result does not depend on earlier calls. Whoever
# asks segment by segment loses the memory; a stream keeps it.
model = models["stateful"]
one_by_one = np.concatenate(
    [model.predict(X_new[i : i + 1]) for i in range(40)]
)
stream = model.start_stream()
live = np.array([stream.step(x) for x in signal_new[: 40 * length]])
print(f"segment by segment: {(one_by_one == y_new[:40]).mean():.1%}")
print(f"as a stream: {(live == is_open_new[: 40 * length]).mean():.1%}")

# %%
# The picture shows twelve segments. Each vertical line is a cut.
import matplotlib.pyplot as plt

plt.rcParams["font.size"] = 15
figure, axes = plt.subplots(
    3, 1, figsize=(8, 6), sharex=True, layout="constrained"
)
start = 83
shown = slice(start, start + 12)
axes[0].plot(X_new[shown].ravel(), color="black", linewidth=1)
axes[0].set(title="pulses")
for ax, (name, model) in zip(axes[1:], models.items(), strict=True):
    is_one = model.predict_proba(X_new)[shown, :, 1].ravel()
    ax.plot(y_new[shown].ravel(), color="black", linewidth=5, alpha=0.25)
    ax.plot(is_one, color="tab:blue", linewidth=2)
    ax.set(title=f"P(open), {name}", ylim=(-0.1, 1.1))
axes[2].set(xlabel="step")
for ax in axes:
    ax.set_xticks(np.arange(0, 301, 100))
    for cut in range(0, 301, length):
        ax.axvline(cut, color="gray", linewidth=0.5)
plt.show()

# %%
# Between two pulses the stateless network is right half of the time: a segment without a pulse looks the same whether
# the valve is open or not, and no training helps. The stateful one is right throughout, hundreds of steps after a
# pulse. Gradients stop at each cut (truncated backpropagation through time), but the state does not: what the network
# learns within 25 steps, to hold a value, works for any time.
#
# It learns less well what matters only beyond the segment, as no gradient tells it to store that. Where the past that
# matters is short, windows that hold all of it are the better choice. And shuffled splits make no sense here, as each
# row continues the one before it.
