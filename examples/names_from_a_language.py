"""
Conditional text generation: family names of 18 languages
=========================================================

A character-level language model is trained on twenty thousand family names, with the language of each name as
context. It then generates new names for a given language (one-to-many). Its likelihoods also classify names by
language. This takes about half a minute.
"""

# %%
# The names are bundled with the package, one language after the other. They are shuffled, and a tenth is held out
# as test data.
import numpy as np

from sklrnn.datasets import load_names

names = load_names().drop_duplicates().sample(frac=1, random_state=0)
known, new = names[:-1800], names[-1800:]
languages = np.unique(names["language"])
print(f"{len(known)} training names, {len(new)} test names, {len(languages)} languages")

# %%
# The context of a name is its language, one-hot encoded. The network reads it at every letter.
from sklrnn import SequenceGenerator


def one_hot(chosen):
    return (np.asarray(chosen)[:, np.newaxis] == languages).astype(float)


model = SequenceGenerator(
    units=96, batch_size=128, max_epochs=8, schedule="one_cycle", early_stopping=False, random_state=0, verbose=2
).fit(known["name"], context=one_hot(known["language"]))

# %%
# Generate names. A temperature below 1 prefers likely letters.
for language in ("Greek", "Irish", "Italian", "Japanese", "Polish", "Russian", "Spanish"):
    (context,) = one_hot([language])
    generated = [model.generate(context=context, temperature=0.7, random_state=seed) for seed in range(6)]
    print(f"{language:10}{', '.join(generated)}")

# %%
# How many of the generated names are new? If most were in the data, the model would have memorised them.
(greek,) = one_hot(["Greek"])
generated = {model.generate(context=greek, random_state=seed) for seed in range(100)}
print(f"{len(generated - set(names['name']))} of {len(generated)} generated Greek names are not in the data")

# %%
# A prompt fixes the first letters. The model continues them differently in each language.
for language in ("Czech", "Dutch", "French", "Italian", "Japanese", "Russian"):
    (context,) = one_hot([language])
    print(f"{language:10}{model.generate('Ma', context=context, temperature=0.5, random_state=1)}")

# %%
# The score is the mean log-likelihood of a letter, and perplexity is computed from it. Test names have a lower
# perplexity with the right language as context than with a wrong one.
right = model.perplexity(new["name"], context=one_hot(new["language"]))
others = languages[(np.searchsorted(languages, new["language"]) + 1) % len(languages)]
wrong = model.perplexity(new["name"], context=one_hot(others))
print(f"perplexity {right:.1f} with the right language, {wrong:.1f} with a wrong one")

# %%
# By Bayes' rule, the likelihood of a name in each language and the share of each language in the training data (the
# prior) make a classifier.
prior = known["language"].value_counts(normalize=True)[languages].to_numpy()
few = new[:150]
scores = np.array(
    [
        [(len(name) + 1) * model.score([name], context=one_hot([language])) for language in languages]
        for name in few["name"]
    ]
)
guesses = languages[(scores + np.log(prior)).argmax(axis=1)]
accuracy, baseline = np.mean(guesses == few["language"]), np.mean(few["language"] == "Russian")
print(f"accuracy {accuracy:.0%}; always predicting Russian: {baseline:.0%}")

# %%
# A language model that was trained on the next letter only has learnt where a name ends, what the names of 18
# languages look like and, by Bayes' rule, which language a name comes from. It is right on 83 % of names that were
# not in the training data, half of which are Russian. It has not memorised the data: none of a hundred generated
# Greek names is in it.
#
# Its limits show too. Languages with few names borrow from the others, as nearly half of the training names are
# Russian. And a model of letters knows no meaning: it takes "Eschi" for Japanese.
