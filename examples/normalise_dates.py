"""
Encoder–decoder: normalising dates
==================================

Dates are written in many formats: "3 May 2021", "May 3, 2021", "03.05.2021". Instead of writing a rule for each
format, train an encoder–decoder network with attention on pairs of a written date and its ISO form. It reads and
writes dates character by character, and its attention weights show which part of the input each output is based on.
This takes about a minute.
"""

# %%
# The data can be generated, as it is easy to write a date in many formats. Every date occurs once, so the last
# thousand are test data that the network has not seen.
from datetime import date, timedelta

import numpy as np

rng = np.random.default_rng(0)
MONTHS = [date(2000, month, 1).strftime("%B") for month in range(1, 13)]


def write(day, style):
    month = MONTHS[day.month - 1]
    return [
        f"{day.day} {month} {day.year}",
        f"{month} {day.day}, {day.year}",
        f"{month[:3].upper()} {day.day} {day.year}",
        f"{day.day:02d}.{day.month:02d}.{day.year}",
        f"{day.month}/{day.day}/{day.year}",
    ][style]


days = [date(1950, 1, 1) + timedelta(int(n)) for n in rng.choice(36_500, 5_000, replace=False)]
X = [write(day, rng.integers(5)) for day in days]
y = [day.isoformat() for day in days]
for text, target in zip(X[:5], y[:5], strict=True):
    print(f"{text:20} {target}")

# %%
# The encoder is bidirectional, so each of its states depends on the characters on both sides. Otherwise only the
# size and the length of training are set.
from sklrnn import SequenceTranslator

model = SequenceTranslator(
    units=64, attention=True, bidirectional=True, max_epochs=12, batch_size=64, random_state=0, verbose=2
)
model.fit(X[:4000], y[:4000])
print(f"{model.score(X[4000:], y[4000:]):.1%} of new dates are right to the last character")

# %%
# Some inputs are invalid or have an unknown format. The best predictions with their likelihoods show how sure the
# model is.
for text in ("24 December 1999", "2/30/2020", "31.O1.1984", "Maj 3, 2021"):
    found = model.predict_n_best([text], n_best=2)[0]
    print(f"{text:18}", ", ".join(f"{output} ({np.exp(log_likelihood):.0%})" for output, log_likelihood in found))

# %%
# The attention weights: each row is a character of the output, each column a character of the input.
import matplotlib.pyplot as plt

inputs = ["3 May 2021", "October 27, 1964", "11/9/2038"]
outputs, weights = model.predict(inputs), model.attention_weights(inputs)
figure, all_axes = plt.subplots(
    1, 3, figsize=(11, 4.2), width_ratios=[len(text) for text in inputs], layout="constrained"
)
for ax, text, output, table in zip(all_axes, inputs, outputs, weights, strict=True):
    ax.imshow(table, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    ax.set_xticks(range(len(text)), [letter.replace(" ", "␣") for letter in text])
    ax.set_yticks(range(len(output)), list(output))
    ax.set(title=text, xlabel="input")
all_axes[0].set_ylabel("output")
plt.show()

# %%
# All of a thousand new dates are right, without any hand-written rule. The plots show how: the output starts with
# the year, so the decoder attends to the end of the input first, one digit after the other. Then it finds the month
# and the day, wherever they are. "Oct" is enough for a 10. That a day has one digit only is seen at the character
# next to it.
#
# The model has not learnt what was not in the data. It does not know that there is no 30 February, and reads the
# letter O in place of a zero as some month with high confidence. A spelling that it has not seen, such as "Maj",
# lowers the likelihood of the best prediction: a low likelihood is a reason to check the date by hand.
