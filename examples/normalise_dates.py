"""
Dates in one form
=================

People write dates as they like: "3 May 2021", "May 3, 2021", "03.05.2021". Instead of writing a rule for each form, let a
network learn them all from pairs of what was written and what was meant. It reads a date letter by letter and says it as year,
month and day; with attention it can be seen where it looks meanwhile. This takes about a minute.
"""

# %%
# Data of this kind can be made up: we know how to write a date in many forms, only not how to read them all. Every date
# occurs once, so that the last thousand are new to the network.
from datetime import date, timedelta

import numpy as np

rng = np.random.default_rng(0)
MONTHS = [date(2000, month, 1).strftime("%B") for month in range(1, 13)]


def written(day, form):
    month = MONTHS[day.month - 1]
    return [
        f"{day.day} {month} {day.year}",
        f"{month} {day.day}, {day.year}",
        f"{month[:3].upper()} {day.day} {day.year}",
        f"{day.day:02d}.{day.month:02d}.{day.year}",
        f"{day.month}/{day.day}/{day.year}",
    ][form]


days = [date(1950, 1, 1) + timedelta(int(n)) for n in rng.choice(36_500, 5_000, replace=False)]
X = [written(day, rng.integers(5)) for day in days]
y = [day.isoformat() for day in days]
for given, meant in zip(X[:5], y[:5], strict=True):
    print(f"{given:20} {meant}")

# %%
# The encoder reads in both directions, so that each of its states knows what stands around a letter. Nothing else is chosen by
# us but how long to train.
from sklrnn import SequenceTranslator

model = SequenceTranslator(
    units=64, attention=True, bidirectional=True, max_epochs=12, batch_size=64, random_state=0, verbose=2
)
model.fit(X[:4000], y[:4000])
print(f"{model.score(X[4000:], y[4000:]):.1%} of new dates are right to the last digit")

# %%
# A date may be written by somebody who does not care for rules. What else the network thought of, and how likely, tells when
# to ask again.
for given in ("24 December 1999", "2/30/2020", "31.O1.1984", "Maj 3, 2021"):
    found = model.predict_n_best([given], n_best=2)[0]
    print(f"{given:18}", ", ".join(f"{answer} ({np.exp(likelihood):.0%})" for answer, likelihood in found))

# %%
# Where did it look? Each row is a digit of the answer, each column a letter of what was read.
import matplotlib.pyplot as plt

asked = ["3 May 2021", "October 27, 1964", "11/9/2038"]
answers, tables = model.predict(asked), model.attention_weights(asked)
figure, all_axes = plt.subplots(
    1, 3, figsize=(11, 4.2), width_ratios=[len(text) for text in asked], layout="constrained"
)
for ax, text, answer, table in zip(all_axes, asked, answers, tables, strict=True):
    ax.imshow(table, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    ax.set_xticks(range(len(text)), [letter.replace(" ", "␣") for letter in text])
    ax.set_yticks(range(len(answer)), list(answer))
    ax.set(title=text, xlabel="read")
all_axes[0].set_ylabel("said")
plt.show()

# %%
# All of a thousand new dates are right, and nobody wrote a rule. The pictures show how: the answer begins with the year, so the
# decoder looks at the end of a date first, at one digit after the other. Then it finds the month and the day wherever they
# stand. "Oct" is enough for a 10, and that a day has one figure only is seen at the mark beside it.
#
# What it was not asked, it did not learn. Nobody told it that there is no 30 February, and for a letter O in the place of a zero it
# guesses a month without a doubt. A spelling that it never saw, such as "Maj", does make it doubt: there the likelihood of the
# best answer falls far below 1, and that is a good reason to ask a human.
