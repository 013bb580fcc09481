"""Streams read each step once: what they predict is what the network predicts for the sequence so far."""

import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from sklrnn import CNNLSTMRegressor, GRURegressor, LSTMRegressor, RecurrentRegressor
from sklrnn.nn.network import Network, NetworkArchitecture
from sklrnn.training.step_reader import StepReader

TINY = {"units": 5, "max_epochs": 2, "random_state": 0}
X = np.random.default_rng(0).normal(size=(60, 7, 2))
Y = X[:, -3:, 0].sum(axis=1)


def some_convolutions(data):
    filters = data.draw(st.lists(st.integers(1, 4), max_size=3).map(tuple))
    pool_size = tuple(data.draw(st.integers(1, 4)) for _ in filters) if filters else 1
    return {"filters": filters, "pool_size": pool_size, "kernel_size": data.draw(st.integers(1, 4))}


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_each_step_gives_what_the_network_gives_for_the_sequence_so_far(data):
    options = {
        "n_features": data.draw(st.integers(1, 3)),
        "n_outputs": data.draw(st.integers(1, 2)),
        "cell": data.draw(st.sampled_from(["simple_rnn", "gru", "lstm", "minimal_gru"])),
        "units": tuple(data.draw(st.lists(st.integers(1, 20), min_size=1, max_size=3))),
        "pooling": data.draw(st.sampled_from(["last", "mean", "max", "attention"])),
        "residual": data.draw(st.booleans()),
        "batch_norm": data.draw(st.booleans()),
        "convolution_skip": data.draw(st.booleans()),
        **some_convolutions(data),
    }
    network = NetworkArchitecture(**options).build(seed=0).eval()
    network = network if network.runs_by_kernels() else network.double()
    x = np.random.default_rng(data.draw(st.integers(0, 100))).normal(size=(11, options["n_features"]))
    reader = StepReader(network)
    for n_steps, row in enumerate(x, start=1):
        raw = reader.read(row)
        assert_allclose(raw, raw_outputs(network, x[:n_steps]), rtol=0, atol=1e-6)


def raw_outputs(network, x):
    with torch.no_grad():
        states, final, _ = network.encode(torch.from_numpy(x)[None], in_double=True)
        return network.apply_head(states, final).numpy()


@pytest.mark.parametrize(
    "options",
    [
        {"filters": 3, "pool_size": 2},
        {"filters": (3, 4), "pool_size": 3, "kernel_size": 4},
        {"filters": 3, "return_sequences": True},
        {"filters": 3, "missing": "mask"},
        {"filters": 3, "pool_size": 2, "cell": "minimal_gru"},
    ],
    ids=str,
)
def test_a_stream_of_convolutions_reads_no_step_again(options, monkeypatch):
    targets = X[:, :, 0] if "return_sequences" in options else Y
    model = RecurrentRegressor(**{"cell": "lstm", **TINY, **options}).fit(X, targets)
    expected = [np.ravel(model.predict(X[:1, : n + 1]))[-1] for n in range(7)]
    stream = model.start_stream()
    monkeypatch.delattr(Network, "encode")
    assert_allclose([stream.step(x) for x in X[0]], expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("options", [{"pool_size": 1}, {"pool_size": 3}])
def test_a_stream_of_segments_begins_its_convolutions_anew_with_each(options):
    model = CNNLSTMRegressor(**TINY, stateful=True, batch_size=5, **options).fit(X, Y)
    stream = model.start_stream()
    found = [[stream.step(x) for x in segment][-1] for segment in X[:6]]
    assert_allclose(found, model.predict(X[:6]), rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", [GRURegressor, LSTMRegressor, CNNLSTMRegressor])
def test_a_stream_moves_to_another_process_at_any_step(kind):
    model = kind(**TINY).fit(X, Y)
    stays, moves = model.start_stream(), model.start_stream()
    for x in X[0]:
        moves = pickle.loads(pickle.dumps(moves))
        assert moves.step(x) == stays.step(x)


@pytest.mark.parametrize("kind", [GRURegressor, CNNLSTMRegressor])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_stream_keeps_small_changes_on_a_large_level(kind, dtype):
    level = 1e6 if dtype == np.float64 else 100.0
    inputs = (X + level).astype(dtype)
    model = kind(**TINY).fit(inputs, Y)
    stream = model.start_stream()
    for n_steps, x in enumerate(inputs[0], start=1):
        expected = model.predict(inputs[:1, :n_steps].astype(np.float64))[0]
        assert stream.step(x) == pytest.approx(expected, rel=0, abs=1e-6)


def test_a_stream_keeps_the_weights_that_it_began_with():
    model = GRURegressor(**TINY).fit(X, Y)
    stream, expected = model.start_stream(), model.predict(X[:1, :2])[0]
    stream.step(X[0, 0])
    model.partial_fit(X, Y)
    model.module_.head.bias.data.add_(1.0)
    assert stream.step(X[0, 1]) == pytest.approx(expected, abs=1e-6)


def test_streams_do_not_disturb_each_other():
    model = LSTMRegressor(**TINY, pooling="mean").fit(X, Y)
    streams = [model.start_stream() for _ in range(3)]
    found = [[stream.step(X[row, step]) for row, stream in enumerate(streams)] for step in range(7)][-1]
    assert_allclose(found, model.predict(X[:3]), rtol=0, atol=1e-6)
