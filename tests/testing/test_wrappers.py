"""Estimators of users: wrappers in the manner of skorch and of Keras."""

import numpy as np
import pytest
import torch
from skorch import NeuralNetRegressor
from torch import nn

from sklrnn.testing import check_recurrent_estimator, recurrent_checks_generator
from sklrnn.testing.kit import name_of

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(16, 5, 2)).astype(np.float32)
Y = X.sum(axis=(1, 2))[:, np.newaxis]


class LastState(nn.Module):
    def __init__(self, spare=False):
        super().__init__()
        self.cell = nn.GRU(2, 4, batch_first=True)
        self.head = nn.Linear(4, 1)
        if spare:
            self.spare = nn.Parameter(torch.zeros(3))

    def forward(self, X):
        return self.head(self.cell(X)[0][:, -1])


class BatchSecond(LastState):
    """Forgets batch_first, the most frequent mistake with torch."""

    def __init__(self):
        super().__init__()
        self.cell = nn.GRU(2, 4)


def skorch_net(module, **options):
    return NeuralNetRegressor(module, max_epochs=2, train_split=None, verbose=0, **options)


# What skorch can't do: keep a model when a fit fails, and read masks and other byte orders.
OF_SKORCH = {
    "check_failed_fit_keeps_the_old_model",
    "check_masked_values_are_not_read",
    "check_byte_orders_agree",
}


@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable:UserWarning")
def test_a_net_of_skorch_is_checked():
    found = check_recurrent_estimator(skorch_net(LastState), X=X, y=Y, on_fail=None, on_skip=None)
    assert {one["check_name"] for one in found if one["status"] == "failed"} == OF_SKORCH


def test_a_net_of_skorch_that_reads_the_batch_axis_as_time_is_caught():
    checks = {name_of(check): check for _, check in recurrent_checks_generator(skorch_net(BatchSecond), X=X, y=Y)}
    with pytest.raises(AssertionError, match="Is the batch axis read as time"):
        checks["check_batch_of_one_equals_batch_of_many"](skorch_net(BatchSecond))


def test_a_parameter_of_torch_that_nothing_uses_is_named():
    net = skorch_net(LastState, module__spare=True)
    checks = {name_of(check): check for _, check in recurrent_checks_generator(net, X=X, y=Y)}
    with pytest.raises(AssertionError, match=r"do not depend on its parameter\(s\) spare."):
        checks["check_every_parameter_is_alive"](net)


class InKerasStyle:
    """A model with the methods of Keras, and none of scikit-learn; it is fitted by least squares."""

    def __init__(self):
        random = np.random.default_rng(0)
        self.kernel, self.recurrent = random.normal(size=(2, 6)), random.normal(size=(6, 6)) / 6
        self.head = np.zeros(6)

    def _states(self, X):
        state = np.zeros((len(X), 6))
        for x in np.asarray(X, dtype=float).swapaxes(0, 1):
            state = np.tanh(x @ self.kernel + state @ self.recurrent)
        return state

    def fit(self, X, y, epochs=1, verbose=0):
        X, y = np.asarray(X, dtype=float), np.asarray(y, dtype=float)
        if len(X) != len(y) or not np.isfinite(X).all():
            raise ValueError("bad data")
        self.head = np.linalg.lstsq(self._states(X), y, rcond=None)[0]
        return self

    def predict(self, X, verbose=0):
        if isinstance(X, list):
            return np.array([self.predict(row[np.newaxis])[0] for row in X])
        return self._states(X) @ self.head

    def get_weights(self):
        return [self.kernel, self.recurrent, self.head]

    def set_weights(self, weights):
        self.kernel, self.recurrent, self.head = weights


def test_a_model_in_the_style_of_keras_is_checked():
    found = check_recurrent_estimator(
        InKerasStyle(),
        X=X.astype(float),
        y=Y[:, 0],
        expected_failed_checks={"check_masked_values_are_not_read": "numpy reads the values below a mask"},
        on_skip=None,
    )
    names = {one["check_name"] for one in found}
    assert {"check_batch_of_one_equals_batch_of_many", "check_every_parameter_is_alive"} <= names
    assert not names & {"check_stream_equals_batch", "check_states_are_causal", "check_weight_zero_is_absence"}
    assert {one["check_name"] for one in found if one["status"] == "xfail"} == {"check_masked_values_are_not_read"}
    assert {one["check_name"] for one in found if one["status"] == "skipped"} == {"check_lists_agree"}
