"""Names in tweets (WNUT-17): F1 of entities, of a bidirectional network and of logistic regression on window features.

    SKLRNN_DATA=<folder> python docs/benchmarks/tagging.py [--test] [--seeds 3]

The folder holds emerging.dev.conll.gz (a word, a tab and its BIO tag in each line, an empty line between sentences).
Trained on the first half of the sentences and tested with ``--test`` on the second; without it, four folds of the
first half, on which the settings were chosen. Two kinds of features: "words" is the lower-case word alone, a token of
the network. "spelling" is the word, its shape ("Xx9") and its letters in pieces of two to four, as most names occur
once; logistic regression reads those of two words on each side too, the network 64 numbers for each word, by truncated
SVD, and some of them as they are (capitals, digits, length).
"""

import argparse
import gzip
import os
import re
import time
from pathlib import Path

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklrnn import GRUClassifier, TokenEncoder
from sklrnn.metrics import entity_f1_score

OPTIONS = {"units": 32, "dropout": 0.4, "return_sequences": True, "max_epochs": 20}


def read_sentences():
    text = gzip.decompress(Path(os.environ["SKLRNN_DATA"], "emerging.dev.conll.gz").read_bytes()).decode()
    lines = [[line.split("\t") for line in block.split("\n") if "\t" in line] for block in text.split("\n\n")]
    sentences = [list(zip(*block, strict=True)) for block in lines if block]
    return [list(words) for words, _ in sentences], [np.array(tags) for _, tags in sentences]


def features_of(word):
    shape = re.sub(r"(.)\1+", r"\1", re.sub("[a-z]", "x", re.sub("[A-Z]", "X", re.sub(r"\d", "9", word))))[:6]
    letters = f"^{word.lower()}$"
    pieces = {f"piece {letters[i : i + n]}": 1.0 for n in (2, 3, 4) for i in range(len(letters) - n + 1)}
    return {f"word {word.lower()}": 2.0, f"shape {shape}": 2.0, **pieces, **look_of(word)}


def look_of(word):
    """What can be seen of a word without reading it."""
    seen = {
        "capital": word[:1].isupper(),
        "capitals": word.isupper(),
        "number": word.isdigit(),
        "digit": any(map(str.isdigit, word)),
        "mark": word[:1] in "@#",
        "link": word.startswith("http"),
        "punctuation": not word[:1].isalnum(),
    }
    return {"length": len(word) / 10, **{name: float(value) for name, value in seen.items()}}


def window_features(words, features):
    return [
        {
            f"{shift} {name}": value
            for shift in range(-2, 3)
            for name, value in (features(words[at + shift]) if 0 <= at + shift < len(words) else {"none": 1.0}).items()
        }
        for at in range(len(words))
    ]


def word_alone(word):
    return {f"word {word.lower()}": 1.0}


def logistic_regression(features, C):
    def fit_predict(X, y, X_new, seed):
        model = make_pipeline(DictVectorizer(), LogisticRegression(C=C, max_iter=500))
        model.fit([each for words in X for each in window_features(words, features)], np.concatenate(y))
        return [model.predict(window_features(words, features)) for words in X_new]

    return fit_predict


def network_of_words(bidirectional):
    def fit_predict(X, y, X_new, seed):
        network = GRUClassifier(embedding_dim=32, bidirectional=bidirectional, random_state=seed, **OPTIONS)
        return make_pipeline(TokenEncoder(lowercase=True, min_count=2), network).fit(X, y).predict(X_new)

    return fit_predict


def network_of_spelling(bidirectional):
    def fit_predict(X, y, X_new, seed):
        reduce = make_pipeline(DictVectorizer(), TruncatedSVD(64, random_state=0))
        reduce.fit([features_of(word) for words in X for word in words])

        def as_numbers(words):
            look = [list(look_of(word).values()) for word in words]
            return np.hstack([reduce.transform([*map(features_of, words)]), look])

        steps, steps_new = ([*map(as_numbers, each)] for each in (X, X_new))
        network = GRUClassifier(bidirectional=bidirectional, random_state=seed, **OPTIONS)
        return network.fit(steps, y).predict(steps_new)

    return fit_predict


MODELS = {
    "words, logistic regression": logistic_regression(word_alone, 100),
    "words, GRU": network_of_words(False),
    "words, bidirectional GRU": network_of_words(True),
    "spelling, logistic regression": logistic_regression(features_of, 1),
    "spelling, GRU": network_of_spelling(False),
    "spelling, bidirectional GRU": network_of_spelling(True),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--test", action="store_true")
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    X, y = read_sentences()
    half = len(X) // 2
    splits = [(range(half), range(half, len(X)))]
    if not args.test:
        splits = [([i for i in range(half) if i % 4 != fold], range(fold, half, 4)) for fold in range(4)]
    for name, fit_predict in MODELS.items():
        scores, start = [], time.process_time()
        for seed in range(1 if "logistic" in name else args.seeds):
            for train, test in splits:
                predicted = fit_predict([X[i] for i in train], [y[i] for i in train], [X[i] for i in test], seed)
                scores.append(entity_f1_score([y[i] for i in test], predicted))
        seconds = (time.process_time() - start) / len(scores)
        print(f"{name}: entity F1 {np.mean(scores):.3f} (± {np.std(scores):.3f}), {seconds:.1f} CPU s", flush=True)


if __name__ == "__main__":
    main()
