"""
Names that nobody has
=====================

What makes a name sound Greek, or Japanese? A recurrent network that reads twenty thousand family names letter by letter,
and is told with each which language it comes from, can be asked afterwards for new ones. The same network says how well
a name fits a language, so it also guesses where a name comes from. All of it takes about half a minute.
"""

# %%
# The names come with the package, one language after the other. They are shuffled, and a tenth is kept aside: only names
# that are new to the network can show what it has understood.
import numpy as np

from sklrnn.datasets import load_names

names = load_names().drop_duplicates().sample(frac=1, random_state=0)
known, new = names[:-1800], names[-1800:]
languages = np.unique(names["language"])
print(f"{len(known)} names to learn from, {len(new)} to test with, {len(languages)} languages")

# %%
# The language is the context of a name: a vector with a one in its place. The network sees it at every letter.
from sklrnn import SequenceGenerator


def one_hot(chosen):
    return (np.asarray(chosen)[:, np.newaxis] == languages).astype(float)


model = SequenceGenerator(
    units=96, batch_size=128, max_epochs=8, schedule="one_cycle", early_stopping=False, random_state=0, verbose=2
).fit(known["name"], context=one_hot(known["language"]))

# %%
# Now it writes. A temperature below 1 keeps it a little closer to what is usual.
for language in ("Greek", "Irish", "Italian", "Japanese", "Polish", "Russian", "Spanish"):
    (context,) = one_hot([language])
    invented = [model.generate(context=context, temperature=0.7, random_state=seed) for seed in range(6)]
    print(f"{language:10}{', '.join(invented)}")

# %%
# How many of the names it writes does nobody have? If most were in the list, it would only have learnt the list by heart.
(greek,) = one_hot(["Greek"])
written = {model.generate(context=greek, random_state=seed) for seed in range(100)}
print(f"{len(written - set(names['name']))} of {len(written)} Greek names are in no list")

# %%
# A prompt fixes the beginning: the same one goes on differently in each language.
for language in ("Czech", "Dutch", "French", "Italian", "Japanese", "Russian"):
    (context,) = one_hot([language])
    print(f"{language:10}{model.generate('Ma', context=context, temperature=0.5, random_state=1)}")

# %%
# The score is the mean log-likelihood of a letter. Names that are new to the network are foretold better when it is told
# the right language than when it is told a wrong one.
told_right = model.perplexity(new["name"], context=one_hot(new["language"]))
others = languages[(np.searchsorted(languages, new["language"]) + 1) % len(languages)]
told_wrong = model.perplexity(new["name"], context=one_hot(others))
print(f"the next letter is as open as a choice among {told_right:.1f} (told a wrong language: {told_wrong:.1f})")

# %%
# So the likelihood of a name in each language is a classifier that nobody trained as one. The number of names in each
# language is what to expect before reading any.
expected = known["language"].value_counts(normalize=True)[languages].to_numpy()
few = new[:150]
scores = np.array(
    [
        [(len(name) + 1) * model.score([name], context=one_hot([language])) for language in languages]
        for name in few["name"]
    ]
)
guesses = languages[(scores + np.log(expected)).argmax(axis=1)]
print(
    f"{np.mean(guesses == few['language']):.0%} right; always guessing Russian: {np.mean(few['language'] == 'Russian'):.0%}"
)

# %%
# A network that was only asked for the next letter has learnt what nobody asked it for: where a name ends, how the names of
# 18 languages sound and, by Bayes' rule, where a name comes from. It is right on 83 % of names that it has never seen, half
# of which are Russian. And it is no list: not one of a hundred Greek names that it writes is among those it has read.
#
# What it can't do is as plain. Languages with few names borrow from their neighbours, since nearly half of what it has read
# is Russian; and a model of letters knows no meaning, so "Eschi" passes for Japanese here.
