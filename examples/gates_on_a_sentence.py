"""
The gates, opened on one sentence
=================================

"The *cats*, which saw the old dog and a bird, *were* full." To choose between "was" and "were" a network has to keep
the number of the first noun, whatever nouns follow. Lectures draw gates for such a sentence; here they are measured, in
a simplified GRU with one gate, a full GRU and an LSTM.
"""

# %%
# Sentences of this kind are generated: a noun in the singular or plural, then a clause with further nouns, which must
# not change the answer. The label is the verb.
import numpy as np

random = np.random.default_rng(0)
NOUNS = {
    "was": ["cat", "dog", "bird", "child", "teacher", "friend"],
    "were": ["cats", "dogs", "birds", "children", "teachers", "friends"],
}
EVERY_NOUN = NOUNS["was"] + NOUNS["were"]


def phrase():
    adjective = random.choice(["old", "small", "red", ""])
    return ["the", *filter(None, [adjective]), random.choice(EVERY_NOUN)]


def sentence(verb):
    words = ["the", random.choice(NOUNS[verb]), "which"]
    words += [random.choice(["saw", "liked", "fed"]), *phrase()]
    for _ in range(random.integers(0, 3)):
        words += ["and", *phrase()]
    return words


y = random.choice(["was", "were"], size=1500)
X = [sentence(verb) for verb in y]
print(" ".join(X[0]), "...", y[0])

# %%
# Words become numbers in a ``TokenEncoder``; sentences may have different lengths. All three networks learn the verb.
from sklearn.pipeline import make_pipeline

from sklrnn import RecurrentClassifier, TokenEncoder


def network(cell):
    classifier = RecurrentClassifier(
        cell=cell,
        units=8,
        embedding_dim=8,
        max_epochs=30,
        random_state=0,
    )
    return make_pipeline(TokenEncoder(analyzer="word"), classifier)


CELLS = {
    "GRU with one gate": "minimal_gru",
    "full GRU": "gru",
    "LSTM": "lstm",
}
models = {}
for name, cell in CELLS.items():
    models[name] = network(cell).fit(X[:1200], y[:1200])
    accuracy = models[name].score(X[1200:], y[1200:])
    print(f"{name:18} accuracy {accuracy:.3f}")

# %%
# The sentence, once with "cat" and once with "cats". The unit that differs most between the two at the end is the one
# that remembers the number.
from sklrnn.inspection import cell_states, gates

words = ["the", "cats", "which", "saw", "the", "old", "dog", "and"]
words += ["the", "bird"]
singular = ["cat" if word == "cats" else word for word in words]
last = len(words) - 1


def remembering_unit(model):
    states = cell_states(model, [singular, words])
    states = states[1]["forward"]["hidden"]
    difference = states.loc[1].loc[last] - states.loc[0].loc[last]
    return int(difference.abs().idxmax())


# %%
# The gates of this unit, word by word, and below them its state. ``gates`` gives a table with a column for each layer,
# direction, gate and unit. Gates lie between 0, shut, and 1, open; candidate and state between -1 and 1.
import matplotlib.pyplot as plt

plt.rcParams.update(
    {"font.size": 12, "figure.constrained_layout.use": True}
)
figure, axes = plt.subplots(3, 1, figsize=(8, 8.5), sharex=True)
for ax, (name, model) in zip(axes, models.items(), strict=True):
    unit = remembering_unit(model)
    table = gates(model, [words]).loc[0][1]["forward"]
    names = table.columns.unique("gate")
    state = cell_states(model, [words]).loc[0][1]["forward"]["hidden"]
    rows = [*names, "state"]
    opened = [*(table[gate][unit] for gate in names), state[unit]]
    opened = np.array(opened)
    ax.imshow(opened, cmap="PuOr", vmin=-1, vmax=1, aspect="auto")
    ax.set_yticks(range(len(rows)), rows)
    ax.set_title(f"{name}, unit {unit}")
    for (row, column), value in np.ndenumerate(opened):
        color = "white" if abs(value) > 0.7 else "black"
        place = {"ha": "center", "va": "center", "color": color}
        ax.text(column, row, f"{value:.1f}", **place)
axes[-1].set_xticks(range(len(words)), words, rotation=40, ha="right")
plt.show()
# sphinx_gallery_thumbnail_number = 1

# %%
# All three keep the number over three nouns, and none does it as in the drawing, where a gate opens at "cats" and then
# shuts. The gates are half open at every word and hardly move. The state itself keeps the number: "cats" pushes it,
# then each candidate repeats and strengthens it, until it stands at -1 or 1 and no noun moves it. A yes or no is kept
# like that; a *quantity*, as in :doc:`a_cell_of_your_own`, can not be. What a gate could do is not yet what it does.
