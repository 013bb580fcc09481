"""
Translation with attention: normalising dates
=============================================

Dates are written in many ways: "3 May 2021", "May 3, 2021", "03.05.2021". Instead of a rule for each, we train an
encoder–decoder network with attention on pairs of a written date and its ISO form, as lectures do to show what
attention is. It reads and writes characters, and its attention weights show which part of the input each output is
based on.
"""

# %%
# Dates are generated in five formats. Every date occurs once, so the last thousand are new to the network.
from sklrnn.datasets import make_dates

X, y = make_dates(5000, random_state=0)
for text, target in zip(X[:5], y[:5], strict=True):
    print(f"{text:20} {target}")

# %%
# The encoder is bidirectional, so each of its states depends on the characters on both sides. To see what attention is
# good for, a small network is trained with and without it, for three epochs and for ten. This is the reduced setting:
# by default a translator has 128 units and makes 5,000 steps, eight times as many as ten epochs here.
from sklrnn import SequenceTranslator


def train(attention, max_epochs):
    model = SequenceTranslator(
        units=32,
        attention=attention,
        bidirectional=True,
        max_epochs=max_epochs,
        batch_size=64,
        random_state=0,
    )
    return model.fit(X[:4000], y[:4000])


models = {}
for attention in (False, True):
    for max_epochs in (3, 10):
        models[attention, max_epochs] = model = train(attention, max_epochs)
        right = model.score(X[4000:], y[4000:])
        print(f"{attention=}, {max_epochs=}: {right:.1%} are right")

# %%
# Some inputs are invalid or in an unknown format. The two best outputs with their likelihoods show how sure the network
# is.
import numpy as np

model = models[True, 10]
for text in ("24 December 1999", "2/30/2020", "31.O1.1984", "Maj 3, 2021"):
    (found,) = model.predict_n_best([text], n_best=2)
    outputs = [f"{output} ({np.exp(log):.0%})" for output, log in found]
    print(f"{text:18}", ", ".join(outputs))

# %%
# The attention weights of a date as a heat map. Each row is a character of the output and sums to one, each column is a
# character of the input.
import matplotlib.pyplot as plt

text = "October 27, 1964"
(output,) = model.predict([text])
(weights,) = model.attention_weights([text])
plt.rcParams["font.size"] = 17
figure, ax = plt.subplots(figsize=(8, 5.5), layout="constrained")
ax.imshow(weights, cmap="Blues", vmin=0, vmax=1, aspect="auto")
ax.set_xticks(range(len(text)), [c.replace(" ", "␣") for c in text])
ax.set_yticks(range(len(output)), list(output))
ax.set(xlabel="input", ylabel="output")
plt.show()

# %%
# With attention the network is right on nearly all new dates after three epochs, without it on a quarter: the whole
# input has to fit into one vector then. After ten epochs it does, as dates are short; for sentences attention is what
# made translation work. The heat map shows how: the output begins with the year, so the decoder looks at the end of the
# input first, one digit after the other. Then it finds the month and the day, wherever they are.
#
# The network has not learnt what was not in the data. It does not know that there is no 30 February, and reads the
# letter O in place of a zero as some month, with high confidence. A spelling that it has not seen, "Maj", lowers the
# likelihood of the best output. So a low likelihood is a reason to check a date by hand, and a high one is no proof.
