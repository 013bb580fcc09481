"""
Sentiment: why the order of words matters
=========================================

"Not bad" is praise, and "we had heard that it was great, but no" is none. Whoever counts words can't tell, as each
has the words of the other mood. We make reviews from templates, let a GRU read them and a logistic regression count
their words, and watch the network change its mind while it reads.
"""

# %%
# Each review is a template with a thing and a judgement. Half of the templates turn the judgement round, so the mood is
# right by construction. All 1,280 combinations are made; the models are trained on 400 of them and tested on the
# others.
from itertools import product

from sklearn.model_selection import train_test_split

PRAISE = "great lovely superb charming good funny warm clever".split()
BLAME = "awful boring dull rude bad noisy cold silly".split()
THINGS = "film food room music staff trip book play".split()
KEPT = [
    "the {thing} was {word}",
    "a really {word} {thing} , not to forget",
    "what a {word} {thing}",
    "we had hoped for less , but the {thing} was {word}",
    "not only the {thing} was {word}",
]
TURNED = [
    "the {thing} was not {word}",
    "hardly a {word} {thing}",
    "the {thing} was never {word} , they say",
    "we had heard the {thing} was {word} , but no",
    "nobody would call the {thing} {word}",
]

texts, moods = [], []
for template, thing, word in product(KEPT + TURNED, THINGS, PRAISE + BLAME):
    texts.append(template.format(thing=thing, word=word))
    happy = (template in KEPT) == (word in PRAISE)
    moods.append("happy" if happy else "unhappy")
texts, texts_test, moods, moods_test = train_test_split(
    texts, moods, train_size=400, random_state=0
)
for text, mood in list(zip(texts, moods, strict=True))[:4]:
    print(f"{mood:9}{text}")

# %%
# A ``TokenEncoder`` splits a text into words, and the GRU reads a vector for each. The first logistic regression counts
# words, the second counts pairs of neighbours too.
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklrnn import GRUClassifier, TokenEncoder

network = GRUClassifier(
    embedding_dim=16, units=24, max_epochs=30, random_state=0
)
models = {
    "words counted": make_pipeline(CountVectorizer(), LogisticRegression()),
    "pairs counted": make_pipeline(
        CountVectorizer(ngram_range=(1, 2)), LogisticRegression()
    ),
    "GRU": make_pipeline(TokenEncoder(analyzer="word"), network),
}
for name, model in models.items():
    right = model.fit(texts, moods).score(texts_test, moods_test)
    print(f"{name:15}{right:.0%}")

# %%
# A word that was in no training text is read as unknown; the others tell enough.
for text in ("the spaghetti was not rude", "what a charming aunt"):
    print(f"{models['GRU'].predict([text])[0]:9}{text}")

# %%
# What does the network think after each word? It is asked for the beginnings of two reviews, one word longer each time.
import matplotlib.pyplot as plt

model = models["GRU"]
happy = list(model.classes_).index("happy")
plt.rcParams["font.size"] = 15
figure, axes = plt.subplots(2, 1, figsize=(7.5, 5.5), layout="constrained")
reviews = [
    "we had heard the film was great , but no",
    "nobody would call the film boring",
]
for ax, review in zip(axes, reviews, strict=True):
    words = review.split()
    beginnings = [" ".join(words[: n + 1]) for n in range(len(words))]
    mood = model.predict_proba(beginnings)[:, happy]
    ax.bar(range(len(words)), mood - 0.5, bottom=0.5, color="tab:blue")
    ax.axhline(0.5, color="black")
    ax.set(ylim=(0, 1), ylabel="P(happy)")
    ax.set_xticks(range(len(words)), words)
plt.show()

# %%
# Counted words are no better than a coin, as "not" is as frequent in praise as in complaint: what it does depends on
# the word that follows. Pairs of neighbours find "not dull", and fail where the word that turns the judgement stands
# further away, as in "hardly a dull film", which shares a pair with "what a dull film". The GRU is right on every new
# combination, because its state carries "had heard" along until "but no" comes.
#
# The picture shows it: "great" makes the first review happy, and the comma turns it round, as only "but no" can follow.
# In the second, "nobody would call" is bad news until "boring" arrives. Before the judgement the network guesses: it
# has seen which beginnings were often followed by which mood, and no more.
#
# A made language is easy: 400 texts are enough, as there are few words and ten templates. Reviews that people wrote
# need some ten thousand texts. The code is the same, with early stopping, which is on by default from there on.
