"""Short and long sequences of small training sets: recurrent classifiers beside MiniRocket.

    SKLRNN_DATA=<folder> python docs/benchmarks/long_sequences.py [--sets ACSF1 Trace ...] [--seeds 3] [--part test]

The folder holds classification/<set>_TRAIN and _TEST, as .ts.gz (UEA) or .tsv.gz (UCR, label first). Every model has
its defaults. ``--part cv`` cross-validates in the training part and reads no test part: defaults were chosen so.
"""

import argparse
import gzip
import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import RidgeClassifierCV
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sktime.transformations.panel.rocket import MiniRocketMultivariate, MiniRocketMultivariateVariable

from sklrnn import CNNLSTMClassifier, GRUClassifier


def read(name, part):
    """Sequences as (time_i, feature) arrays, and their labels."""
    folder = Path(os.environ["SKLRNN_DATA"], "classification")
    table = folder / f"{name}_{part}.tsv.gz"
    if table.exists():
        rows = [line.split("\t") for line in gzip.decompress(table.read_bytes()).decode().splitlines()]
        return [np.array(values, dtype=float)[:, np.newaxis] for _, *values in rows], np.array([row[0] for row in rows])
    text = gzip.decompress((folder / f"{name}_{part}.ts.gz").read_bytes()).decode()
    lines = text[text.lower().index("@data") :].splitlines()[1:]
    rows = [line.strip().split(":") for line in lines if line.strip()]
    X = [np.column_stack([np.array(channel.split(","), dtype=float) for channel in row[:-1]]) for row in rows]
    return X, np.array([row[-1] for row in rows])


def minirocket(X, y, X_new, y_new, seed):
    ridge = make_pipeline(StandardScaler(), RidgeClassifierCV(alphas=np.logspace(-3, 3, 10)))
    if len({len(x) for x in X + X_new}) == 1:
        rocket = MiniRocketMultivariate(random_state=seed)
        X, X_new = (np.stack([x.T for x in part]) for part in (X, X_new))
    else:
        rocket = MiniRocketMultivariateVariable(random_state=seed, pad_value_short_series=0.0)
        X, X_new = (pd.DataFrame([[pd.Series(c) for c in x.T] for x in part]) for part in (X, X_new))
    return ridge.fit(rocket.fit_transform(X), y).score(rocket.transform(X_new), y_new)


def recurrent(kind):
    return lambda X, y, X_new, y_new, seed: kind(random_state=seed).fit(X, y).score(X_new, y_new)


MODELS = {
    "MiniRocket": minirocket,
    "GRUClassifier()": recurrent(GRUClassifier),
    "CNNLSTMClassifier()": recurrent(CNNLSTMClassifier),
}


def splits(name, part):
    """Training and test samples: as given, or three folds of the training part."""
    X, y = read(name, "TRAIN")
    if part == "test":
        yield X, y, *read(name, "TEST")
        return
    for train, test in StratifiedKFold(3, shuffle=True, random_state=0).split(X, y):
        yield [X[i] for i in train], y[train], [X[i] for i in test], y[test]


def measure(model, name, part, seeds):
    """The accuracy with each seed, and the CPU seconds of a fit with its predictions."""
    start, scores = time.process_time(), []
    for seed in seeds:
        scores.append(np.mean([model(*split, seed) for split in splits(name, part)]))
    n_fits = len(scores) * (1 if part == "test" else 3)
    return np.array(scores), (time.process_time() - start) / n_fits


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sets", nargs="*")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--part", choices=["test", "cv"], default="test")
    options = parser.parse_args()
    found = Path(os.environ["SKLRNN_DATA"], "classification").glob("*_TRAIN.*")
    names = options.sets or sorted({path.name.split("_TRAIN")[0] for path in found})
    print(f"| set | sequences x steps | {' | '.join(f'{model} | s' for model in MODELS)} |")
    print(f"|---|---|{'--:|--:|' * len(MODELS)}")
    means = {model: [] for model in MODELS}
    for name in names:
        X, _ = read(name, "TRAIN")
        cells = []
        for model, run in MODELS.items():
            scores, seconds = measure(run, name, options.part, range(options.seeds))
            means[model].append(scores.mean())
            cells.append(f"{scores.mean():.3f} ± {scores.std():.3f} | {seconds:.1f}")
        print(f"| {name} | {len(X)} x {max(map(len, X))} | {' | '.join(cells)} |", flush=True)
    print(f"| mean | | {' | '.join(f'{np.mean(scores):.3f} | ' for scores in means.values())}|")
    for model, scores in means.items():
        share = np.array(scores) / means["MiniRocket"]
        print(f"{model}: {share.min():.2f} of MiniRocket's accuracy on {names[int(share.argmin())]}, the lowest share")


if __name__ == "__main__":
    main()
