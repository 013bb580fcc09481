"""Each check finds the estimator that breaks what it checks.

`EchoState` keeps all invariants. It is made of numpy alone and shares no code with the package: its recurrent weights
are random and its head is a ridge regression. Every class below it breaks one thing.
"""

import os
import threading

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin

from sklrnn.testing import check_recurrent_estimator, recurrent_checks_generator
from sklrnn.testing.kit import name_of


class EchoState(RegressorMixin, BaseEstimator):
    """An echo state network: h_t = tanh(W x_t + U h_{t-1} + b), and a linear head."""

    def __init__(
        self, units=8, return_sequences=False, early_stopping=False, validation_fraction=0.25, random_state=None
    ):
        self.units = units
        self.return_sequences = return_sequences
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.random_state = random_state

    # -- fit ---------------------------------------------------------------------------------------------------------

    def fit(self, X, y, sample_weight=None):
        X, y, weights = self.read(X), np.asarray(y, dtype=float), self.read_weights(sample_weight, X)
        if len(X) != len(y):
            raise ValueError("X and y differ in length")
        train = self.training_rows(len(X))
        self.take(self.draw(X.shape[2]), X[train], y[train], weights[train])
        return self

    def take(self, drawn, X, y, weights):
        """Set the attributes of a fit, once nothing can fail any more."""
        sums = self.sums(drawn, X, y, weights)
        self.input_, self.recurrent_, self.bias_ = drawn
        self.sums_, self.head_ = sums, np.linalg.solve(*sums)

    def partial_fit(self, X, y):
        X = self.read(X)
        more = self.sums(self.weights(), X, np.asarray(y, dtype=float), np.ones(len(X)))
        self.sums_ = tuple(old + new for old, new in zip(self.sums_, more, strict=True))
        self.head_ = np.linalg.solve(*self.sums_)
        return self

    def sums(self, drawn, X, y, weights):
        """The normal equations of the head."""
        states = self.states(X, drawn)
        read = states.reshape(-1, states.shape[2]) if self.return_sequences else states[:, -1]
        weights = np.repeat(weights, X.shape[1]) if self.return_sequences and weights.ndim == 1 else weights.reshape(-1)
        design = np.column_stack([read, np.ones(len(read))])
        weighted = design * weights[:, np.newaxis]
        return weighted.T @ design + 1e-3 * np.eye(design.shape[1]), weighted.T @ y.reshape(-1)

    def draw(self, n_features):
        random = self.generator()
        return (
            random.normal(size=(n_features, self.units)),
            random.normal(size=(self.units, self.units)) / self.units,
            random.normal(size=self.units),
        )

    def generator(self):
        return np.random.default_rng(self.random_state)

    def training_rows(self, n):
        return slice(0, n - int(n * self.validation_fraction)) if self.early_stopping else slice(None)

    def read_weights(self, sample_weight, X):
        return np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, dtype=float)

    def read(self, X):
        if np.ma.isMaskedArray(X) and X.mask.any():
            raise ValueError("missing values")
        X = np.asarray(X, dtype=float)
        X = X[..., np.newaxis] if X.ndim == 2 else X
        if not np.isfinite(X).all():
            raise ValueError("infinity in X")
        return X

    # -- predict -----------------------------------------------------------------------------------------------------

    def weights(self):
        return self.input_, self.recurrent_, self.bias_

    def states(self, X, weights):
        inputs, recurrent, bias = weights
        state, states = np.zeros((len(X), self.units)), []
        for x in X.swapaxes(0, 1):
            state = np.tanh(x @ inputs + state @ recurrent + bias)
            states.append(state)
        return np.stack(states, axis=1)

    def hidden_states(self, X):
        return self.states(self.read(X), self.weights())

    def predict(self, X):
        if isinstance(X, list) and len({len(row) for row in X}) > 1:
            return [self.predict(row[np.newaxis])[0] for row in X]
        return self.decode(self.hidden_states(X))

    def decode(self, states):
        read = states if self.return_sequences else states[:, -1]
        return read @ self.head_[:-1] + self.head_[-1]

    def start_stream(self):
        return EchoStream(self)

    def get_weights(self):
        return [self.input_, self.recurrent_, self.bias_, self.head_]

    def set_weights(self, weights):
        self.input_, self.recurrent_, self.bias_, self.head_ = weights


class EchoStream:
    """Reads one sequence step by step."""

    def __init__(self, model):
        self.model, self.state = model, np.zeros((1, model.units))

    def step(self, x):
        inputs, recurrent, bias = self.model.weights()
        self.state = np.tanh(np.atleast_2d(x) @ inputs + self.state @ recurrent + bias)
        answer = self.model.decode(self.state[:, np.newaxis])[0]
        return answer[0] if self.model.return_sequences else answer


# -- broken ones -------------------------------------------------------------------------------------------------------


class ReadsBatchAxisAsTime(EchoState):
    def states(self, X, weights):
        return super().states(X.swapaxes(0, 1), weights).swapaxes(0, 1)


class CountsRows(EchoState):
    def decode(self, states):
        answers = super().decode(states)
        return answers + 0.01 * np.arange(len(answers)) if answers.ndim == 1 else answers


class SubtractsBatchMean(EchoState):
    def hidden_states(self, X):
        X = self.read(X)
        return self.states(X - X.mean(axis=0), self.weights())


class ReadsPadding(EchoState):
    def predict(self, X):
        if isinstance(X, list) and len({len(row) for row in X}) > 1:
            longest = max(map(len, X))
            X = np.stack([np.pad(row, ((0, longest - len(row)), (0, 0))) for row in X])
        return super().predict(X)


class CentresWindows(EchoState):
    def states(self, X, weights):
        return super().states((X + np.concatenate([X[:, 1:], X[:, -1:]], axis=1)) / 2, weights)


class DecodesEarlierStates(EchoState):
    """The state before a step decodes it, so early states are mapped to late steps."""

    def decode(self, states):
        if states.shape[1] == 1:
            return super().decode(states)
        return super().decode(np.concatenate([states[:, :1], states[:, :-1]], axis=1))


class ReadsNextRow(EchoState):
    def decode(self, states):
        answers = super().decode(states)
        return answers + np.append(answers[1:], 0.0) if answers.ndim == 1 else answers


class ForgetfulStream(EchoStream):
    def step(self, x):
        self.state = np.zeros_like(self.state)
        return super().step(x)


class StreamsForgetfully(EchoState):
    def start_stream(self):
        return ForgetfulStream(self)


class HasDeadParameter(EchoState):
    def get_weights(self):
        return [*super().get_weights(), np.ones(3)]

    def set_weights(self, weights):
        super().set_weights(weights[:-1])


class IgnoresWeights(EchoState):
    def read_weights(self, sample_weight, X):
        return np.ones(len(X))


class TakesWeightsForMasks(EchoState):
    def read_weights(self, sample_weight, X):
        return np.sign(super().read_weights(sample_weight, X))


class DrawsGlobally(EchoState):
    def generator(self):
        return np.random.default_rng(np.random.randint(1000))  # noqa: NPY002


class SeedsGlobally(EchoState):
    def generator(self):
        np.random.seed(self.random_state)  # noqa: NPY002
        return np.random.default_rng(np.random.randint(1000))  # noqa: NPY002


class DependsOnThread(EchoState):
    def generator(self):
        is_main = threading.current_thread() is threading.main_thread()
        return np.random.default_rng(self.random_state + (not is_main))


class DependsOnProcess(EchoState):
    def generator(self):
        return np.random.default_rng(self.random_state + os.getpid())


class SavesFewDigits(EchoState):
    def __getstate__(self):
        return super().__getstate__() | ({"head_": self.head_.round(1)} if hasattr(self, "head_") else {})


class SavesNoSums(EchoState):
    def __getstate__(self):
        state = dict(super().__getstate__())
        if "sums_" in state:
            state["sums_"] = (np.eye(len(self.head_)), self.head_)
        return state


class LearnsInPredict(EchoState):
    def predict(self, X):
        answers = super().predict(X)
        self.head_ = self.head_ * 1.01
        return answers


class ChangesX(EchoState):
    def predict(self, X):
        answers = super().predict(X)
        X *= 2
        return answers


class CountsPredictions(EchoState):
    def predict(self, X):
        self.n_predictions_ = getattr(self, "n_predictions_", 0) + 1
        return super().predict(X)


class ChangesParameters(EchoState):
    def predict(self, X):
        answers = super().predict(X)
        self.validation_fraction = 0.5
        return answers


class DisturbsTraining(EchoState):
    def predict(self, X):
        answers = super().predict(X)
        self.sums_ = tuple(2 * values for values in self.sums_)
        return answers


class LosesModel(EchoState):
    def fit(self, X, y, sample_weight=None):
        self.head_ = None
        return super().fit(X, y, sample_weight)


class ReplacesModel(EchoState):
    def fit(self, X, y, sample_weight=None):
        X = np.nan_to_num(np.asarray(X, dtype=float), posinf=0.0)[: len(y)]
        super().fit(X, y[: len(X)], None)
        if len(X) > len(y):
            raise ValueError("X and y differ in length")
        return self


class AcceptsInfinity(EchoState):
    def read(self, X):
        return super().read(
            X if isinstance(X, np.ma.MaskedArray) else np.nan_to_num(np.asarray(X, dtype=float), posinf=1.0)
        )


class ReversesLists(EchoState):
    def fit(self, X, y, sample_weight=None):
        return super().fit(X, y[::-1] if isinstance(y, list) else y, sample_weight)


class ReversesPandas(EchoState):
    def fit(self, X, y, sample_weight=None):
        return super().fit(X, y[::-1] if hasattr(y, "iloc") else y, sample_weight)


class ReversesPolars(EchoState):
    def fit(self, X, y, sample_weight=None):
        return super().fit(X, y[::-1] if hasattr(y, "to_arrow") else y, sample_weight)


class ReversesMasked(EchoState):
    def fit(self, X, y, sample_weight=None):
        return super().fit(X, y[::-1] if isinstance(y, np.ma.MaskedArray) else y, sample_weight)


class ReadsBelowMasks(EchoState):
    def read(self, X):
        return super().read(X.data if isinstance(X, np.ma.MaskedArray) else X)


class WritesToX(EchoState):
    def fit(self, X, y, sample_weight=None):
        X[0, 0] = X[0, 0]
        return super().fit(X, y, sample_weight)


class ReadsMemoryInOrder(EchoState):
    def read(self, X):
        return super().read(X.ravel(order="K").reshape(X.shape) if isinstance(X, np.ndarray) else X)


class AssumesByteOrder(EchoState):
    def read(self, X):
        return super().read(X.view(X.dtype.newbyteorder("=")) if isinstance(X, np.ndarray) else X)


class HoldsOutOldest(EchoState):
    def training_rows(self, n):
        return slice(int(n * self.validation_fraction), None) if self.early_stopping else slice(None)


class HoldsOutNothing(EchoState):
    def training_rows(self, n):
        return slice(None)


class SeesNextRow(EchoState):
    """Knows the answer: in windows of a series the newest value of the next row is what is to be predicted."""

    def predict(self, X):
        return np.append(self.read(X)[1:, -1, 0], 0.0)


BY_STEP = {"return_sequences": True}
BROKEN = [
    (ReadsBatchAxisAsTime(), "check_batch_of_one_equals_batch_of_many"),
    (ReadsBatchAxisAsTime(), "check_order_of_rows_does_not_matter"),
    (CountsRows(), "check_order_of_rows_does_not_matter"),
    (SubtractsBatchMean(), "check_neighbours_do_not_matter"),
    (ReadsPadding(), "check_padding_does_not_matter"),
    (CentresWindows(), "check_states_are_causal"),
    (CentresWindows(**BY_STEP), "check_step_predictions_are_causal"),
    (DecodesEarlierStates(), "check_newest_input_is_felt"),
    (DecodesEarlierStates(**BY_STEP), "check_newest_input_is_felt"),
    (StreamsForgetfully(), "check_stream_equals_batch"),
    (StreamsForgetfully(**BY_STEP), "check_stream_equals_batch"),
    (ReadsNextRow(), "check_past_does_not_move_when_future_changes"),
    (HasDeadParameter(), "check_every_parameter_is_alive"),
    (IgnoresWeights(), "check_weight_zero_is_absence"),
    (IgnoresWeights(), "check_weight_k_is_k_copies"),
    (TakesWeightsForMasks(), "check_weight_k_is_k_copies"),
    (DrawsGlobally(), "check_same_seed_gives_the_same_fit"),
    (DrawsGlobally(), "check_global_generators_are_untouched"),
    (SeedsGlobally(), "check_global_generators_are_untouched"),
    (DependsOnThread(), "check_same_seed_gives_the_same_fit_in_threads"),
    (DependsOnProcess(), "check_same_seed_gives_the_same_fit_in_processes"),
    *(
        (model, f"check_{way}_round_trip")
        for way in ("pickle", "joblib")
        for model in (SavesFewDigits(), SavesNoSums())
    ),
    (SavesNoSums(), "check_skops_round_trip"),
    (LearnsInPredict(), "check_predict_changes_nothing"),
    (ChangesX(), "check_predict_changes_nothing"),
    (CountsPredictions(), "check_predict_changes_nothing"),
    (ChangesParameters(), "check_predict_changes_nothing"),
    (DisturbsTraining(), "check_predict_changes_nothing"),
    (LosesModel(), "check_failed_fit_keeps_the_old_model"),
    (ReplacesModel(), "check_failed_fit_keeps_the_old_model"),
    (AcceptsInfinity(), "check_failed_fit_keeps_the_old_model"),
    (ReversesLists(), "check_lists_agree"),
    (ReversesPandas(), "check_pandas_agrees"),
    (ReversesPolars(), "check_polars_agrees"),
    (ReversesMasked(), "check_masked_arrays_agree"),
    (ReadsBelowMasks(), "check_masked_values_are_not_read"),
    (WritesToX(), "check_read_only_arrays_agree"),
    (ReadsMemoryInOrder(), "check_strided_arrays_agree"),
    (AssumesByteOrder(), "check_byte_orders_agree"),
    (HoldsOutOldest(), "check_newest_samples_are_held_out"),
    (HoldsOutNothing(), "check_newest_samples_are_held_out"),
    (SeesNextRow(), "check_white_noise_is_not_predicted"),
]


def outcomes(estimator):
    return {
        result["check_name"]: result["status"]
        for result in check_recurrent_estimator(estimator, on_fail=None, on_skip=None)
    }


@pytest.mark.parametrize("options", [{}, BY_STEP], ids=["last step", "each step"])
def test_an_estimator_without_a_fault_passes_every_check(options):
    assert set(outcomes(EchoState(**options)).values()) == {"passed"}


@pytest.mark.parametrize(("broken", "name"), BROKEN, ids=lambda value: type(value).__name__ * (type(value) is not str))
def test_a_broken_estimator_is_caught_by_its_check(broken, name):
    checks = {check.keywords["check"].__name__: check for _, check in recurrent_checks_generator(broken)}
    with pytest.raises(AssertionError, match=type(broken).__name__):
        checks[name](broken)


def test_every_check_has_a_broken_estimator():
    models = EchoState(), EchoState(**BY_STEP)
    names = {name_of(check) for model in models for _, check in recurrent_checks_generator(model)}
    assert {name for _, name in BROKEN} == names
