"""
Predictive maintenance: the remaining life of engines
=====================================================

When will this engine fail? Its sensors have been read since it was new, a few dozen cycles or a few hundred:
sequences of different lengths. We let a GRU learn from engines that have run until they failed, and ask it about
engines that still run. This is NASA's turbofan task in the small, on generated engines.
"""

# %%
# Each engine has a life of its own, and wears slowly at first and fast at the end. Four sensors show the wear, in noise
# and shifted by the load, which changes from cycle to cycle and is the fifth feature. No sensor shows the age.
import numpy as np

SENSITIVITY = np.array([1.0, -0.8, 0.5, 0.3])
LOAD_EFFECT = np.array([0.6, 0.3, -0.6, 0.9])


def run_to_failure(n_engines, seed):
    rng = np.random.default_rng(seed)
    engines = []
    for life in rng.integers(80, 300, size=n_engines):
        wear = (np.arange(life) / life) ** 3
        load = rng.choice([0.0, 1.0, 2.0], size=life)
        sensors = np.outer(wear, SENSITIVITY) + np.outer(load, LOAD_EFFECT)
        sensors += 0.15 * rng.normal(size=sensors.shape)
        engines.append(np.column_stack([sensors, load]))
    return engines


engines = run_to_failure(100, seed=0)
print("lives:", [len(engine) for engine in engines[:8]], "...")

# %%
# The target is the remaining life at every cycle, so each engine is a sequence with as many answers as steps. It is cut
# off at 100 cycles, as usual in this task: an engine that is as good as new tells nothing about the year of its end.
LONGEST = 100


def remaining(engine):
    left = np.arange(len(engine))[::-1]
    return np.minimum(left, LONGEST).astype(float)


targets = [remaining(engine) for engine in engines]

# %%
# The list of sequences goes into ``fit`` as it is. Padding and masking happen inside, and ``return_sequences=True``
# learns from all cycles at once.
from sklrnn import GRURegressor

model = GRURegressor(
    units=32,
    return_sequences=True,
    batch_size=10,
    max_epochs=120,
    random_state=0,
)
model.fit(engines, targets)

# %%
# New engines are stopped at a moment drawn at random, and the last output is the forecast. Two baselines: the typical
# life minus the age, and ridge regression on the mean of the last ten cycles.
from sklearn.linear_model import Ridge

new = run_to_failure(200, seed=1)
rng = np.random.default_rng(2)
stops = [int(rng.integers(20, len(engine))) for engine in new]
seen = [engine[:stop] for engine, stop in zip(new, stops, strict=True)]
left = [remaining(engine) for engine in new]
truth = np.array(
    [steps[i - 1] for steps, i in zip(left, stops, strict=True)]
)

typical = np.mean([len(engine) for engine in engines])
recent = [
    engine[end - 10 : end].mean(axis=0)
    for engine in engines
    for end in range(10, len(engine) + 1)
]
ridge = Ridge().fit(recent, np.concatenate([left[9:] for left in targets]))
forecasts = {
    "typical life": np.clip(typical - np.array(stops), 0, LONGEST),
    "ridge": ridge.predict([engine[-10:].mean(axis=0) for engine in seen]),
    "GRU": np.array([steps[-1] for steps in model.predict(seen)]),
}
soon = truth < 50
for name, forecast in forecasts.items():
    error = np.abs(forecast - truth)
    print(f"{name:14}{error.mean():5.1f} cycles", end="")
    print(f"; {error[soon].mean():5.1f} in the last fifty")

# %%
# Four of the new engines, from their first cycle to their last. The forecast is made anew in each cycle.
import matplotlib.pyplot as plt

plt.rcParams["font.size"] = 16
figure, axes = plt.subplots(
    2, 2, figsize=(8.5, 6), sharey=True, layout="constrained"
)
for ax, engine, name in zip(axes.flat, new, "ABCD", strict=False):
    ax.plot(remaining(engine), "k", linewidth=2, label="true")
    ax.plot(model.predict([engine])[0], linewidth=2, label="GRU")
    ax.set(title=f"Engine {name}")
axes[0, 0].set_ylabel("cycles left")
axes[1, 0].set(xlabel="cycle", ylabel="cycles left")
axes[0, 0].legend(loc="lower left")
plt.show()

# %%
# The GRU is wrong by 8 cycles on average, a ridge regression on the newest readings by 13. In the last fifty cycles,
# where it matters, it is 7 against 18. The age alone tells little, as lives differ by a factor of three. What the
# network adds is memory: it averages the noise over many cycles, and from how long the wear took to come this far it
# knows how fast this engine wears.
#
# The picture shows what to expect. As long as an engine is good, no one can tell when it will fail, and the cut-off at
# 100 cycles says so. Once the wear shows, the forecast follows the line, and is surest at the end. If planning needs to
# know how sure it is, ask for quantiles: ``loss="quantile"`` works with ``return_sequences=True`` too.
#
# The full task is NASA's C-MAPSS: a hundred engines with 21 sensors and three settings. The code stays the same.
