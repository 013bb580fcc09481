"""How much an epoch of ``fit`` costs beyond a bare torch loop on the same network.

Both do the same arithmetic: the same batches through the same module, the same fused optimizer, clipping. They run in
turn, and the median of the pairs' ratios is printed.
"""

import statistics
import time

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from torch import nn

from sklrnn import RecurrentRegressor

EPOCHS, ROUNDS = 3, 7


def small_series(n=4000):
    """Yearly and weekly sine, a slow trend and AR(1) noise."""
    rng = np.random.default_rng(0)
    t = np.arange(n)
    noise = np.zeros(n)
    for i in range(1, n):
        noise[i] = 0.7 * noise[i - 1] + rng.normal(0, 0.3)
    series = np.sin(2 * np.pi * t / 365) + 0.5 * np.sin(2 * np.pi * t / 7) + t / n + noise
    return ((series - series.mean()) / series.std()).astype(np.float32)


def bare_loop(module, X, y, *, epochs, learning_rate=1e-2, batch_size=32):
    module.train()
    weights = [weight for weight in module.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=learning_rate, weight_decay=0.1, fused=True)
    loss = nn.MSELoss()
    for _ in range(epochs):
        order = torch.randperm(len(X))
        for start in range(0, len(order), batch_size):
            chosen = order[start : start + batch_size]
            optimizer.zero_grad()
            loss(module(X[chosen]), y[chosen]).backward()
            nn.utils.clip_grad_norm_(weights, 1.0)
            optimizer.step()


def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main():
    torch.set_num_threads(1)
    series = small_series()
    X = sliding_window_view(series, 33)[:-1, :, np.newaxis].copy()
    y = series[33:]
    X_torch, y_torch = torch.from_numpy(X), torch.from_numpy(y.copy())[:, None]
    for cell in ("gru", "lstm", "simple_rnn"):
        model = RecurrentRegressor(cell=cell, max_epochs=EPOCHS, random_state=0, n_jobs=1)
        module = model.fit(X, y).module_
        pairs = []
        for _ in range(ROUNDS):
            bare = seconds(lambda module=module: bare_loop(module, X_torch, y_torch, epochs=EPOCHS))
            ours = seconds(lambda model=model: model.fit(X, y))
            pairs.append((ours / bare, ours, bare))
        ratio, ours, bare = (statistics.median(column) for column in zip(*pairs, strict=True))
        print(f"{cell:>10}: fit {ours / EPOCHS:.3f} s an epoch, bare loop {bare / EPOCHS:.3f} s, ratio {ratio:.3f}")


if __name__ == "__main__":
    main()
