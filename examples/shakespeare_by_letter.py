"""
Shakespeare, letter by letter
=============================

A GRU reads a play of Shakespeare's and learns one thing only: which letter comes next. Asked for its own letters one
by one, it writes lines, speakers and words. The temperature decides how daring it is.
"""

# %%
# The lectures train on a megabyte of plays, which ``fetch_tiny_shakespeare()`` downloads. This page takes the first
# 100,000 letters of it, from a file that lies beside the example.
import gzip
from pathlib import Path

from sklrnn.datasets import fetch_tiny_shakespeare

excerpt = Path("tinyshakespeare_first200k.txt.gz")
if "__file__" in globals():
    excerpt = Path(__file__).with_name(excerpt.name)
if excerpt.exists():
    with gzip.open(excerpt, "rt", encoding="utf-8") as file:
        text = file.read()
else:
    text = fetch_tiny_shakespeare().data
text = text[:100_000]
print(text[:200])

# %%
# One long text is read as parallel streams: each step of training continues where the last one ended. Six epochs of a
# tenth of the text are the reduced setting. The full one, all of it with ``units=256``, takes five minutes on one core;
# the perplexity of a part that it has not seen is then 4.3.
from sklrnn import SequenceGenerator

model = SequenceGenerator(
    cell="gru",
    units=96,
    segment_length=48,
    batch_size=16,
    max_epochs=6,
    learning_rate=8e-3,
    schedule="one_cycle",
    early_stopping=False,
    random_state=0,
)
model.fit([text])
print(f"perplexity of the next letter: {model.perplexity([text]):.1f}")

# %%
# The curve of training. A perplexity of 65 is a guess among all letters, since the text has 65 different ones.
import matplotlib.pyplot as plt
import numpy as np

plt.rcParams.update(
    {"font.size": 13, "figure.constrained_layout.use": True}
)
figure, ax = plt.subplots(figsize=(7, 4))
perplexity = np.exp(model.loss_curve_)
epochs = range(1, len(perplexity) + 1)
ax.plot(epochs, perplexity, "o-", color="#0072B2", linewidth=3)
ax.set(xlabel="epoch", ylabel="perplexity", title="Next letter")
ax.set_ylim(bottom=1)
plt.show()

# %%
# The same prompt at four temperatures. Likelihoods are raised to the power of 1 / temperature before a letter is
# drawn: near 0 the likeliest letter always wins, at 1 letters are as frequent as the model believes.
temperatures = (0.2, 0.5, 1.0, 1.5)
written = {
    temperature: model.generate(
        "MENENIUS:\n", length=220, temperature=temperature, random_state=1
    )
    for temperature in temperatures
}
for temperature, lines in written.items():
    print(f"--- temperature {temperature}\n{lines}\n")

# %%
# Side by side, with the share of words that occur in the text:
from textwrap import wrap

words = set(text.split())


def share_of_known_words(lines):
    found = lines.split()[1:-1]
    return np.mean([word in words for word in found])


figure, axes = plt.subplots(1, 4, figsize=(13, 4))
for ax, (temperature, lines) in zip(axes, written.items(), strict=True):
    known = share_of_known_words(lines)
    ax.set_title(f"temperature {temperature}\n{known:.0%} real words")
    shown = [part for line in lines.splitlines() for part in wrap(line, 24)]
    text = "\n".join(shown[:9])
    ax.text(0, 1, text, va="top", family="monospace", fontsize=13)
    ax.axis("off")
plt.show()

# sphinx_gallery_thumbnail_number = 2

# %%
# From letters alone the network has learnt that speakers stand in capitals before a colon, that lines begin with a
# capital, and many words. It knows no grammar beyond a few letters, and no story.
#
# The temperature moves between two faults. At 0.2 nearly all words are real, and they are always the same: "the people
# and the people". At 1.5 most words are invented. In between, at 0.5, nine of ten words are real and no line repeats
# itself. The perplexity of 4.7 is that of the text it was trained on; for that of new text, hold a part of it out.
