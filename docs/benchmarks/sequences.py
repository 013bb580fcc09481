"""Sequences of several lengths, labels at every step and tokens: how good, how fast.

    SKLRNN_DATA=<folder> python docs/benchmarks/sequences.py [vowels|motions|tags ...]

The folder holds classification/JapaneseVowels_TRAIN.ts.gz and _TEST, classification/BasicMotions_TRAIN.ts.gz and _TEST
(UEA archive), and ud_ewt_dev_form_upos.tsv.gz (a word, a tab and its part of speech in each line, an empty line between
sentences).
"""

import gzip
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
from sktime.datasets import load_from_tsfile

from sklrnn import GRUClassifier, LSTMClassifier

SEEDS = range(3)


def read_ts(name):
    """Sequences as (time_i, feature) arrays, and their labels."""
    packed = Path(os.environ["SKLRNN_DATA"], "classification", f"{name}.ts.gz")
    with tempfile.TemporaryDirectory() as folder:
        unpacked = Path(folder, f"{name}.ts")
        unpacked.write_bytes(gzip.decompress(packed.read_bytes()))
        X, y = load_from_tsfile(str(unpacked), return_data_type="nested_univ")
    return [np.column_stack([np.asarray(channel) for channel in row]) for row in X.to_numpy()], np.asarray(y)


def archive(name, model):
    X, y = read_ts(f"{name}_TRAIN")
    X_new, y_new = read_ts(f"{name}_TEST")
    lengths = [len(x) for x in X]
    start = time.perf_counter()
    scores = [model(random_state=seed).fit(X, y).score(X_new, y_new) for seed in SEEDS]
    seconds = (time.perf_counter() - start) / len(scores)
    return f"{len(X)} sequences of {min(lengths)} to {max(lengths)} steps", scores, seconds


def vowels():
    return archive(
        "JapaneseVowels",
        lambda **seed: GRUClassifier(units=64, bidirectional=True, dropout=0.2, max_epochs=60, **seed),
    )


def motions():
    return archive(
        "BasicMotions",
        lambda **seed: LSTMClassifier(units=64, filters=(32, 32), pool_size=4, dropout=0.2, max_epochs=100, **seed),
    )


def read_sentences():
    text = gzip.decompress(Path(os.environ["SKLRNN_DATA"], "ud_ewt_dev_form_upos.tsv.gz").read_bytes()).decode()
    sentences = [[line.split("\t") for line in block.split("\n") if "\t" in line] for block in text.split("\n\n")]
    return [sentence for sentence in sentences if sentence]


def tags():
    """The first nine tenths of the sentences against the last; a word is a token, lower case."""
    sentences = read_sentences()
    n_train = int(0.9 * len(sentences))
    counts = Counter(word.lower() for sentence in sentences[:n_train] for word, _ in sentence)
    number = {word: token for token, word in enumerate(sorted(counts))}
    # What training does not know gets a number that training does not know.
    X = [np.array([number.get(word.lower(), len(number)) for word, _ in sentence]) for sentence in sentences]
    y = [np.array([tag for _, tag in sentence]) for sentence in sentences]
    start = time.perf_counter()
    scores = []
    for seed in SEEDS:
        model = LSTMClassifier(
            embedding_dim=64,
            units=64,
            bidirectional=True,
            return_sequences=True,
            dropout=0.3,
            max_epochs=10,
            random_state=seed,
        )
        scores.append(model.fit(X[:n_train], y[:n_train]).score(X[n_train:], y[n_train:]))
    seconds = (time.perf_counter() - start) / len(scores)
    return f"{n_train} sentences, {len(number)} words", scores, seconds


TASKS = {"vowels": (vowels, 0.97), "motions": (motions, 1.0), "tags": (tags, 0.85)}


def main(names):
    for name in names or TASKS:
        task, wanted = TASKS[name]
        what, scores, seconds = task()
        print(
            f"{name} ({what}): accuracy {np.mean(scores):.4f} {np.round(scores, 3)}, wanted {wanted}; "
            f"{seconds:.0f} s a fit"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
