"""
Streaming: a label as soon as a value arrives
=============================================

A watch can't wait until the day is over to say whether its wearer is running. A recurrent network can read live data
step by step, because its state holds what it needs of the past. We train on recorded sequences, open a stream, and
measure what a step costs, beside calling ``predict`` on a longer and longer record.
"""

# %%
# A sensor is still, walks or runs, for some seconds each; walking swings slowly and running fast, and both are noisy. A
# single value tells little: the network has to see how the signal moves. There is a label for every step.
import numpy as np

STEPS_A_SECOND = 10
SWINGS = {"still": 0.0, "walk": 1.0, "run": 2.5}  # a second


def record(n_seconds, seed):
    rng = np.random.default_rng(seed)
    labels, phase = [], [0.0]
    while len(labels) < n_seconds * STEPS_A_SECOND:
        kind = str(rng.choice(list(SWINGS)))
        n_steps = int(rng.integers(3, 12) * STEPS_A_SECOND)
        labels += [kind] * n_steps
        step = 2 * np.pi * SWINGS[kind] / STEPS_A_SECOND
        phase += list(phase[-1] + step * np.arange(1, n_steps + 1))
    labels = np.array(labels[: n_seconds * STEPS_A_SECOND])
    signal = np.sin(phase[1 : len(labels) + 1]) * (labels != "still")
    return signal + 0.3 * rng.normal(size=len(labels)), labels


X, y = zip(*(record(60, seed) for seed in range(60)), strict=True)
X, y = np.array(X)[:, :, np.newaxis], np.array(y)
print("X:", X.shape, "(sample, time, feature); y:", y.shape)

# %%
# With ``return_sequences=True`` there is an output at each step. The network must not be bidirectional, as a stream has
# no future.
from sklrnn import GRUClassifier

model = GRUClassifier(
    units=32,
    return_sequences=True,
    batch_size=10,
    max_epochs=30,
    random_state=0,
)
model.fit(X, y)

# %%
# Live: a new record arrives value by value. The stream keeps the state, and each ``step`` gives a label.
signal, labels = record(300, seed=1000)
stream = model.start_stream()
live = np.array([stream.step(value) for value in signal])
(at_once,) = model.predict(signal[np.newaxis, :, np.newaxis])
print(f"accuracy {np.mean(live == labels):.1%}")
print("the same as predict for the whole record:", (live == at_once).all())

# %%
# Where are the errors? After a change the network has to see a few values first.
step = np.arange(len(labels))
changed = np.append(False, labels[1:] != labels[:-1])
since = step - np.maximum.accumulate(np.where(changed, step, 0))
fresh = since < STEPS_A_SECOND
wrong = live != labels
print(f"{wrong[fresh].mean():.0%} wrong in the first second after a change")
print(f"{wrong[~fresh].mean():.1%} wrong later")

# %%
# What does a step cost? The stream takes the same time however long the record is. Calling ``predict`` on all that has
# come so far takes longer and longer.
from time import perf_counter


def microseconds(call):
    times = []
    for _ in range(20):
        start = perf_counter()
        call()
        times.append(perf_counter() - start)
    return 1e6 * np.median(times)


cost = microseconds(lambda: stream.step(0.1))
print(f"a step of the stream: {cost:.0f} µs")
for n in (100, 1000, 3000):
    so_far = signal[np.newaxis, :n, np.newaxis]
    cost = microseconds(lambda X=so_far: model.predict(X))
    print(f"predict after {n} steps: {cost:.0f} µs")

# %%
# The picture shows forty seconds in the colours of the live labels. Vertical lines are the true changes.
import matplotlib.pyplot as plt

plt.rcParams["font.size"] = 17
figure, ax = plt.subplots(figsize=(8.5, 5), layout="constrained")
shown = np.arange(400)
seconds = shown / STEPS_A_SECOND
for kind, color in zip(
    SWINGS, ("gray", "tab:blue", "tab:red"), strict=True
):
    values = np.where(live[shown] == kind, signal[shown], np.nan)
    ax.plot(seconds, values, color=color, linewidth=2, label=kind)
for change in seconds[changed[shown]]:
    ax.axvline(change, color="black", linestyle=":")
ax.set(xlabel="seconds", ylabel="signal", ylim=(-2, 3))
ax.legend(ncols=3, loc="upper center")
plt.show()

# %%
# The live labels are those that ``predict`` gives for the whole record, and a step costs some 20 µs on an ordinary
# processor, however many came before. ``predict`` reads everything again, and takes longer and longer.
#
# Nearly all errors are in the first second after a change. Before the signal has moved, nothing can tell a runner from
# one who stands still; whoever needs surer labels must wait, or read in both directions when the day is over
# (``bidirectional=True``). A stream is a plain object: open one for each wearer, and pickle it to move it.
