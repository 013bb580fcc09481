"""Do the defaults work? Two tasks on which nothing is tuned: handwritten digits and the adding problem."""

import time

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sklrnn import GRURegressor, LSTMClassifier


def digits_accuracy(seed):
    """Rows of pixels are time steps; half of the images for training."""
    digits = load_digits()
    X, X_new, y, y_new = train_test_split(
        digits.images, digits.target, test_size=0.5, stratify=digits.target, random_state=seed
    )
    return LSTMClassifier(random_state=seed).fit(X, y).score(X_new, y_new)


def adding_problem(n_sequences, rng, n_steps=50):
    """Random numbers, a mask on two of them, and their sum."""
    X = np.zeros((n_sequences, n_steps, 2), dtype=np.float32)
    X[..., 0] = rng.random((n_sequences, n_steps))
    marked = rng.permuted(np.tile(np.arange(n_steps), (n_sequences, 1)), axis=1)[:, :2]
    np.put_along_axis(X[..., 1], marked, 1.0, axis=1)
    return X, (X[..., 0] * X[..., 1]).sum(axis=1)


def adding_error(seed):
    rng = np.random.default_rng(seed)
    X, y = adding_problem(5000, rng)
    X_new, y_new = adding_problem(5000, rng)
    model = GRURegressor(random_state=seed).fit(X, y)
    return float(np.mean((model.predict(X_new) - y_new) ** 2)), float(np.var(y_new)), model.n_iter_


def main():
    start = time.perf_counter()
    scores = [digits_accuracy(seed) for seed in range(3)]
    print(f"digits, LSTMClassifier(): accuracy {np.mean(scores):.4f} {np.round(scores, 3)}, wanted 0.965")
    print(f"  {time.perf_counter() - start:.0f} s")
    start = time.perf_counter()
    error, constant, epochs = adding_error(0)
    print(f"adding problem, GRURegressor(): test MSE {error:.6f} after {epochs} epochs, wanted 0.002")
    print(f"  the constant answer has {constant:.3f}; {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
