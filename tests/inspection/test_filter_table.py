"""Filters are the weights of the convolutions, and responses their sums."""

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose

from sklrnn import CNNLSTMClassifier, CNNLSTMRegressor, GRURegressor
from sklrnn.inspection import filter_responses, filters

X = np.random.default_rng(0).normal(size=(40, 12, 2))
Y = X[:, -3:].sum(axis=(1, 2))
SHORT = {"units": 3, "kernel_size": 3, "max_epochs": 2, "random_state": 0}


def standardised(model, X):
    return (X - model.module_.standardise.mean.numpy()) / model.module_.standardise.spread.numpy()


def test_response_is_the_weighted_sum_of_the_steps_that_a_filter_reads():
    model = CNNLSTMRegressor(filters=4, **SHORT).fit(X, Y)
    weights, bias = filters(model), model.module_.convolution.layers[0].bias.detach().double().numpy()
    assert_allclose(weights.to_numpy().reshape(4, 2, 3), model.module_.convolution.layers[0].weight.detach(), rtol=1e-6)
    x = np.concatenate([np.zeros((2, 2)), standardised(model, X[0])])  # zeros in front of the series
    expected = np.full((12, 4), bias)
    for (number, feature), row in weights.iterrows():
        for back, weight in row.items():
            expected[:, number] += weight * x[2 - back : len(x) - back, feature]
    assert_allclose(filter_responses(model, X[:1]), expected, rtol=1e-9, atol=1e-12)


def test_batch_normalisation_belongs_to_the_filter():
    model = CNNLSTMRegressor(filters=4, batch_norm=True, pool_size=1, **SHORT).fit(X, Y)
    weights = filters(model).to_numpy().reshape(4, 2, 3)
    last = filter_responses(model, X[:2]).xs(11, level="time").to_numpy()
    x = standardised(model, X[:2])[:, -3:]  # (sample, place, feature)
    # Differences between samples do not depend on the shift.
    assert_allclose(last[1] - last[0], np.einsum("fcp,pc->f", weights, x[1] - x[0]), rtol=1e-6)


def test_second_convolution_reads_what_the_first_passes_on():
    model = CNNLSTMRegressor(filters=(4, 5), **SHORT).fit(X, Y)
    passed = np.maximum(filter_responses(model, X[:1]).to_numpy(), 0.0)
    second = model.module_.convolution.layers[1]
    padded = torch.from_numpy(np.concatenate([np.zeros((2, 4)), passed]).T[np.newaxis])
    with torch.no_grad():
        expected = torch.nn.functional.conv1d(padded, second.weight.double(), second.bias.double())[0].T
    assert_allclose(filter_responses(model, X[:1], layer=2), expected, rtol=1e-9, atol=1e-12)
    assert filters(model, layer=2).shape == (20, 3)


def test_pooled_steps_are_named_by_the_newest_step_in_them():
    model = CNNLSTMClassifier(filters=(2, 3), pool_size="auto", **SHORT).fit(
        np.random.default_rng(1).normal(size=(30, 200)), np.arange(30) % 2
    )
    long = np.random.default_rng(2).normal(size=(1, 200))
    first, second = model.module_.convolution.pool_sizes
    assert first > 1
    times = filter_responses(model, long, layer=2).loc[0].index
    assert times[-1] == 199
    assert set(np.diff(times)) == {first}
    assert second >= 1


def test_initial_filters_are_those_that_training_began_with():
    model = CNNLSTMRegressor(filters=4, **SHORT).fit(X, Y)
    untrained = CNNLSTMRegressor(filters=4, **{**SHORT, "max_epochs": 1}, learning_rate=1e-12).fit(X, Y)
    assert_allclose(filters(model, weights="initial"), filters(untrained), atol=1e-6)
    assert not np.allclose(filters(model, weights="initial"), filters(model), atol=1e-3)
    responses = filter_responses(model, X[:1], weights="initial")
    assert_allclose(responses, filter_responses(untrained, X[:1]), atol=1e-5)


def test_filters_name_the_features_of_a_table():
    lags = pd.DataFrame(X.reshape(40, -1)[:, -6:], columns=[f"{n}_lag{k}" for k in (2, 1, 0) for n in ("wind", "sun")])
    lags = lags.rename(columns={"wind_lag0": "wind", "sun_lag0": "sun"})
    model = CNNLSTMRegressor(filters=2, n_timesteps=3, **SHORT).fit(lags, Y)
    assert filters(model).index.unique("feature").tolist() == ["wind", "sun"]


def test_flags_of_missing_values_are_features_too():
    holes = X.copy()
    holes[::3, 4, 0] = np.nan
    model = CNNLSTMRegressor(filters=2, missing="mask", **SHORT).fit(holes, Y)
    assert filters(model).index.unique("feature").tolist() == [0, 1, "0 is missing", "1 is missing"]
    assert filter_responses(model, holes).notna().to_numpy().all()


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        (GRURegressor(units=3, max_epochs=2), {}, "fitted without convolutions.* such as filters=16"),
        (CNNLSTMRegressor(filters=4, **SHORT), {"layer": 2}, "layer must be a number from 1 to 1"),
        (CNNLSTMRegressor(filters=4, **SHORT), {"weights": "random"}, 'must be "learned" or "initial"'),
    ],
)
def test_what_is_not_there_is_named(model, options, message):
    model.fit(X, Y)
    with pytest.raises(ValueError, match=message):
        filters(model, **options)
    with pytest.raises(ValueError, match=message):
        filter_responses(model, X, **options)
