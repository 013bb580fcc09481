"""Names by language, read letter by letter, and digits by value, read row by row: how good, how fast.

    python docs/benchmarks/names_and_digits.py names
    SKLRNN_DATA=<folder> python docs/benchmarks/names_and_digits.py digits

The names come with the package. The folder holds mnist/train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz and the
two files that begin with t10k.
"""

import gzip
import os
import sys
import time
from pathlib import Path

import numpy as np
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline

from sklrnn import GRUClassifier, LSTMClassifier, TokenEncoder
from sklrnn.datasets import load_names


def names():
    """A fifth, stratified, is kept aside; settings are chosen by cross-validation in the rest, and tested once a seed.

    A name that is there twice in one language is taken once: it could be in both parts.
    """
    table = load_names().drop_duplicates()
    settings = {
        "gruclassifier__units": [64, 128],
        "gruclassifier__dropout": [0.0, 0.3],
    }
    scores, seconds = [], []
    for seed in range(3):
        X, X_new, y, y_new = train_test_split(
            table["name"].to_numpy(),
            table["language"].to_numpy(),
            test_size=0.2,
            stratify=table["language"],
            random_state=seed,
        )
        network = GRUClassifier(
            embedding_dim=32,
            bidirectional=True,
            batch_size=128,
            max_epochs=12,
            schedule="one_cycle",
            random_state=seed,
        )
        model = make_pipeline(TokenEncoder(), network)
        if seed == 0:
            search = GridSearchCV(model, settings, cv=3, refit=False).fit(X, y)
            for chosen, score in zip(search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True):
                print(f"  cross-validated in the training part {score:.4f}: {chosen}", flush=True)
            best = search.best_params_
        start = time.perf_counter()
        scores.append(model.set_params(**best).fit(X, y).score(X_new, y_new))
        seconds.append(time.perf_counter() - start)
    return f"{len(X)} names, {len(set(y))} languages", scores, seconds


def read_idx(name, n_axes):
    content = gzip.decompress(Path(os.environ["SKLRNN_DATA"], "mnist", f"{name}.gz").read_bytes())
    shape = np.frombuffer(content, ">i4", n_axes, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * n_axes).reshape(shape)


def digits():
    """60,000 images, 28 rows of 28 pixels: a row is a step. Nothing was tuned; the test part is read once a seed."""
    X, y = read_idx("train-images-idx3-ubyte", 3).astype(np.float32) / 255, read_idx("train-labels-idx1-ubyte", 1)
    X_new, y_new = read_idx("t10k-images-idx3-ubyte", 3).astype(np.float32) / 255, read_idx("t10k-labels-idx1-ubyte", 1)
    scores, seconds = [], []
    for seed in range(2):
        model = LSTMClassifier(
            units=128,
            dropout=0.2,
            batch_size=128,
            max_epochs=15,
            schedule="one_cycle",
            learning_rate=5e-3,
            normalize_X=False,
            random_state=seed,
        )
        start = time.perf_counter()
        scores.append(model.fit(X, y).score(X_new, y_new))
        seconds.append(time.perf_counter() - start)
    return f"{len(X)} images", scores, seconds


TASKS = {"names": (names, 0.80), "digits": (digits, 0.985)}


def main(chosen):
    for name in chosen or TASKS:
        task, wanted = TASKS[name]
        what, scores, seconds = task()
        print(
            f"{name} ({what}): test accuracy {np.mean(scores):.4f} {np.round(scores, 4)}, wanted {wanted}; "
            f"{np.mean(seconds):.0f} s a fit"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
