"""What early stopping costs a classifier of texts: accuracy and log loss, with and without it.

    SKLRNN_DATA=<folder> python docs/benchmarks/early_stopping.py [--sets sentences names ...] [--seeds 3] [--test]

The folder holds sst2_train.tsv.gz and sst2_dev.tsv.gz (a sentence, a tab and its sentiment 0 or 1 in each line); the
names come with the package. Without ``--test`` a fifth of the training part is tested on, with it sst2_dev, or a fifth
of the names that is drawn in another way.
"""

import argparse
import gzip
import os
import time
from pathlib import Path

import numpy as np
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from sklrnn import GRUClassifier, TokenEncoder
from sklrnn.datasets import load_names


def read_sentences(part):
    path = Path(os.environ["SKLRNN_DATA"], f"sst2_{part}.tsv.gz")
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    texts, labels = zip(*(line.rsplit("\t", 1) for line in lines), strict=True)
    return np.array(texts, dtype=object), np.array(labels, dtype=int)


def sentences(*, test):
    X, y = read_sentences("train")
    split = [X, *read_sentences("dev")[:1], y, read_sentences("dev")[1]]
    return split if test else train_test_split(X, y, test_size=0.2, stratify=y, random_state=0)


def names(*, test):
    table = load_names().drop_duplicates()
    X, y = table["name"].to_numpy(), table["language"].to_numpy()
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.2, stratify=y, random_state=1)
    return [X, X_test, y, y_test] if test else train_test_split(X, y, test_size=0.2, stratify=y, random_state=0)


SETS = {
    "sentences": (sentences, TokenEncoder(analyzer="word", lowercase=True), {}),
    "names": (names, TokenEncoder(), {"batch_size": 128}),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=SETS)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--test", action="store_true")
    args = parser.parse_args()
    for name in args.sets:
        read, encoder, options = SETS[name]
        X, X_new, y, y_new = read(test=args.test)
        for early_stopping in (True, False):
            rows = []
            for seed in range(args.seeds):
                network = GRUClassifier(
                    embedding_dim=32,
                    max_epochs=args.epochs,
                    early_stopping=early_stopping,
                    random_state=seed,
                    **options,
                )
                model, start = make_pipeline(encoder, network), time.process_time()
                model.fit(X, y)
                seconds = time.process_time() - start
                loss = log_loss(y_new, model.predict_proba(X_new), labels=model.classes_)
                rows.append((model.score(X_new, y_new), loss, network.n_iter_, seconds))
            accuracy, loss, epochs, seconds = np.transpose(rows)
            print(
                f"{name} ({len(X)} texts), early_stopping={early_stopping}: accuracy {accuracy.mean():.3f} "
                f"(± {accuracy.std():.3f}), log loss {loss.mean():.3f}, {epochs.mean():.0f} epochs, "
                f"{seconds.mean():.0f} CPU s",
                flush=True,
            )


if __name__ == "__main__":
    main()
