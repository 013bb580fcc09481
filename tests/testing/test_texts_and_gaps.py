"""Each check of translators, generators and imputers finds one of each kind that breaks what it checks.

`Translator`, `Generator` and `Imputer` keep all invariants. They are made of numpy alone and learn tables of counts and
means. Each fault below breaks one thing in all kinds that are named beside it.
"""

import os
import threading

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from sklrnn import SequenceGenerator
from sklrnn.testing import check_recurrent_estimator, recurrent_checks_generator
from sklrnn.testing.kit import name_of

# -- ones without a fault ----------------------------------------------------------------------------------------------


class Learner(BaseEstimator):
    """What all three have in common: a table of numbers, which `fit` learns from rows."""

    def __init__(self, early_stopping=False, validation_fraction=0.5, random_state=None):
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.random_state = random_state

    def fit(self, X, y=None):
        rows = self.read(X)
        self.table_ = self.learn(rows[self.training_rows(len(rows))], None)
        return self

    def training_rows(self, n):
        return slice(0, n - int(n * self.validation_fraction)) if self.early_stopping else slice(None)

    def seed(self):
        return self.random_state

    def get_weights(self):
        return [self.table_]

    def set_weights(self, weights):
        (self.table_,) = weights


def codes_of(text):
    return np.array([ord(letter) for letter in text], dtype=int)


class Texts(Learner):
    """Reads strings of ASCII letters; the table holds the score of each code beside each other one."""

    def read(self, X):
        rows = X.to_list() if hasattr(X, "to_list") else [*X]
        if not all(isinstance(row, str) for row in rows):
            raise ValueError("not a text")
        return [str(row) for row in rows]

    def drawn(self):
        return np.random.default_rng(self.seed()).uniform(size=(128, 128))

    def log_probabilities(self):
        return self.table_ - np.log(np.exp(self.table_).sum(axis=1, keepdims=True))


class Generator(Texts):
    """Each letter follows the one before it as often as in the texts; code 0 ends a text."""

    def learn(self, rows, weights):
        table = self.drawn()
        for row in rows:
            codes = codes_of(row)
            np.add.at(table, (codes, np.append(codes[1:], 0)), 0.5)
        return table

    def answer(self, rows, length):
        answers = []
        for row in rows:
            text = row
            for _ in range(length):
                text += chr(97 + int(self.table_[ord(text[-1]), 97:103].argmax()))
            answers.append(text)
        return answers

    def generate(self, prompt, *, length=4, top_k=None, random_state=None):
        answers = self.answer(self.read([prompt] if isinstance(prompt, str) else prompt), length)
        return answers[0] if isinstance(prompt, str) else answers

    def stream(self, prompt, *, length=4, random_state=None):
        return iter(self.generate(prompt, length=length)[len(prompt) :])

    def likelihoods(self, rows):
        table = self.log_probabilities()
        return [table[codes_of(row), np.append(codes_of(row)[1:], 0)] for row in rows]

    def score(self, X, y=None):
        return float(np.concatenate(self.likelihoods(self.read(X))).mean())


class Translator(Texts):
    """Each letter becomes the one that stands in its place most often."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        return tags

    def fit(self, X, y, sample_weight=None):
        pairs = [*zip(self.read(X), self.read(y), strict=True)]
        weights = np.ones(len(pairs)) if sample_weight is None else self.read_weights(sample_weight)
        train = self.training_rows(len(pairs))
        self.table_ = self.learn(pairs[train], weights[train])
        return self

    def partial_fit(self, X, y):
        pairs = [*zip(self.read(X), self.read(y), strict=True)]
        self.table_ = self.table_ + self.learn(pairs, np.ones(len(pairs)))
        return self

    def read_weights(self, sample_weight):
        return np.asarray(sample_weight, dtype=float)

    def learn(self, rows, weights):
        table = self.drawn()
        for (row, target), weight in zip(rows, weights, strict=True):
            n = min(len(row), len(target))
            np.add.at(table, (codes_of(row[:n]), codes_of(target[:n])), 0.1 * weight)
        return table

    def answer(self, rows):
        table, answers = self.log_probabilities(), []
        for row in rows:
            of_letters = table[codes_of(row)]
            answers.append(("".join(map(chr, of_letters.argmax(axis=1))), float(of_letters.max(axis=1).sum())))
        return answers

    def predict(self, X):
        return [text for text, _ in self.answer(self.read(X))]

    def predict_n_best(self, X, n_best=1):
        return [[answer] for answer in self.answer(self.read(X))]


class Imputer(Learner):
    """A missing value lies between the mean of its series and that of all, in a random ratio.

    With bidirectional=False the mean is that of the steps so far.
    """

    def __init__(
        self,
        bidirectional=True,
        missing_values=np.nan,
        early_stopping=False,
        validation_fraction=0.5,
        random_state=None,
    ):
        super().__init__(early_stopping, validation_fraction, random_state)
        self.bidirectional = bidirectional
        self.missing_values = missing_values

    def read(self, X):
        if np.ma.isMaskedArray(X):
            X = X.astype(float).filled(np.nan)
        X = X if isinstance(X, list) else np.asarray(X, dtype=float)
        rows = [np.array(row, dtype=float) for row in (X if np.ndim(X[0]) == 2 else [X])]
        if np.isinf(np.concatenate(rows)).any():
            raise ValueError("infinity")
        return rows

    def learn(self, rows, weights):
        means = np.nanmean(np.concatenate(rows), axis=0)
        return np.stack([means, np.random.default_rng(self.seed()).uniform(0.2, 0.8, size=means.shape)])

    def answer(self, rows):
        return [self.fill(row) for row in rows]

    def fill(self, row):
        known, level = ~np.isnan(row), self.table_[0]
        n_known, sums = known.cumsum(axis=0), np.where(known, row, 0.0).cumsum(axis=0)
        if self.bidirectional:
            n_known, sums = np.broadcast_to(n_known[-1:], row.shape), np.broadcast_to(sums[-1:], row.shape)
        means = np.where(n_known > 0, sums / np.maximum(n_known, 1), level)
        return np.where(known, row, level + self.table_[1] * (means - level))

    def transform(self, X):
        is_table, answers = np.ndim(X[0] if isinstance(X, list) else X) == 2, self.answer(self.read(X))
        if isinstance(X, list):
            return answers
        return answers[0] if is_table else np.stack(answers)


KINDS = (Generator, Translator, Imputer)


@pytest.mark.parametrize("model", [kind() for kind in KINDS] + [Imputer(bidirectional=False)], ids=repr)
def test_one_without_a_fault_passes_every_check(model):
    found = check_recurrent_estimator(model, on_fail=None, on_skip=None)
    assert {one["check_name"]: one["exception"] for one in found if one["status"] != "passed"} == {}


# -- faults: each is mixed into the kinds ------------------------------------------------------------------------------


class AnswersForNextRow:
    def answer(self, rows, *args):
        answers = super().answer(rows, *args)
        return answers[1:] + answers[:1]


class ReadsPadding:
    def answer(self, rows, *args):
        longest = max(map(len, rows))
        if isinstance(rows[0], str):
            return super().answer([row.ljust(longest, "f") for row in rows], *args)
        padded = [np.concatenate([row, np.ones((longest - len(row), row.shape[1]))]) for row in rows]
        return [answer[: len(row)] for answer, row in zip(super().answer(padded), rows, strict=True)]


class IgnoresNewest:
    def answer(self, rows):
        return super().answer([row[:-1] for row in rows])


class ReadsLaterSteps:
    def fill(self, row):
        return np.where(np.isnan(row), self.table_[0] + np.nansum(row), row)


class StreamsOtherTokens:
    def stream(self, prompt, **options):
        return iter([*super().stream(prompt, **options)][::-1])


class ScoresTextsAlike:
    def score(self, X, y=None):
        return float(np.mean([np.mean(row) for row in self.likelihoods(self.read(X))]))


class LeavesGaps:
    def fill(self, row):
        return row


class SmoothsAll:
    def fill(self, row):
        filled = super().fill(row)
        return (filled + filled.mean(axis=0)) / 2


class HasDeadParameter:
    def get_weights(self):
        return [*super().get_weights(), np.ones(3)]

    def set_weights(self, weights):
        super().set_weights(weights[:-1])


class IgnoresWeights:
    def read_weights(self, sample_weight):
        return np.ones(len(sample_weight))


class TakesWeightsForMasks:
    def read_weights(self, sample_weight):
        return np.sign(sample_weight)


class DrawsGlobally:
    def seed(self):
        return np.random.randint(1000)  # noqa: NPY002


class DependsOnThread:
    def seed(self):
        return self.random_state + (threading.current_thread() is not threading.main_thread())


class DependsOnProcess:
    def seed(self):
        return self.random_state + os.getpid()


class SavesLittle:
    def __getstate__(self):
        return super().__getstate__() | ({"table_": self.table_ / 2} if hasattr(self, "table_") else {})


class LearnsFromAnswers:
    def answer(self, rows, *args):
        answers = super().answer(rows, *args)
        self.table_ = np.roll(self.table_, 1, axis=-1)
        return answers


class LosesModel:
    def fit(self, X, y=None, **options):
        self.table_ = None
        return super().fit(X, y, **options)


class ReadsAnything:
    def read(self, X):
        X = np.nan_to_num(X, posinf=1.0) if isinstance(self, Imputer) else [row or "a" for row in X]
        return super().read(X)


class FitsSomeDifferently:
    """What is learnt from one kind of container is changed."""

    def fit(self, X, y=None, **options):
        super().fit(X, y, **options)
        if self.is_strange(X):
            self.table_ = np.roll(self.table_, 1, axis=-1)
        return self


class FitsListsDifferently(FitsSomeDifferently):
    def is_strange(self, X):
        return isinstance(X, list)


class FitsPandasDifferently(FitsSomeDifferently):
    def is_strange(self, X):
        return hasattr(X, "iloc")


class FitsPolarsDifferently(FitsSomeDifferently):
    def is_strange(self, X):
        return hasattr(X, "to_arrow") or hasattr(X, "write_csv")


class FitsStringsDifferently(FitsSomeDifferently):
    def is_strange(self, X):
        return getattr(X, "dtype", np.dtype(object)).kind == "U"


class FitsMasksDifferently(FitsSomeDifferently):
    def is_strange(self, X):
        return isinstance(X, np.ma.MaskedArray)


class FitsViewsDifferently(FitsSomeDifferently):
    def is_strange(self, X):
        return not X.flags.c_contiguous


class AssumesByteOrder:
    def read(self, X):
        return super().read(X.view(X.dtype.newbyteorder("=")))


class WritesToX:
    def fit(self, X, y=None, **options):
        X[0] = X[0]
        return super().fit(X, y, **options)


class ReadsBelowMasks:
    def read(self, X):
        return super().read(X.data if isinstance(X, np.ma.MaskedArray) else X)


class HoldsOutOldest:
    def training_rows(self, n):
        return slice(int(n * self.validation_fraction), None) if self.early_stopping else slice(None)


class HoldsOutNothing:
    def training_rows(self, n):
        return slice(None)


FAULTS = [
    (AnswersForNextRow, "check_batch_of_one_equals_batch_of_many", KINDS),
    (AnswersForNextRow, "check_order_of_rows_does_not_matter", KINDS),
    (AnswersForNextRow, "check_neighbours_do_not_matter", KINDS),
    (AnswersForNextRow, "check_past_does_not_move_when_future_changes", KINDS),
    (ReadsPadding, "check_padding_does_not_matter", KINDS),
    (ReadsLaterSteps, "check_step_predictions_are_causal", [Imputer]),
    (IgnoresNewest, "check_newest_input_is_felt", [Translator]),
    (StreamsOtherTokens, "check_token_stream_equals_generate", [Generator]),
    (ScoresTextsAlike, "check_score_is_a_mean_over_tokens", [Generator]),
    (LeavesGaps, "check_only_gaps_are_filled", [Imputer]),
    (SmoothsAll, "check_only_gaps_are_filled", [Imputer]),
    (HasDeadParameter, "check_every_parameter_is_alive", KINDS),
    (IgnoresWeights, "check_weight_zero_is_absence", [Translator]),
    (TakesWeightsForMasks, "check_weight_k_is_k_copies", [Translator]),
    (DrawsGlobally, "check_same_seed_gives_the_same_fit", KINDS),
    (DrawsGlobally, "check_global_generators_are_untouched", KINDS),
    (DependsOnThread, "check_same_seed_gives_the_same_fit_in_threads", KINDS),
    (DependsOnProcess, "check_same_seed_gives_the_same_fit_in_processes", KINDS),
    *((SavesLittle, f"check_{way}_round_trip", KINDS) for way in ("pickle", "joblib", "skops")),
    (LearnsFromAnswers, "check_predict_changes_nothing", KINDS),
    (LosesModel, "check_failed_fit_keeps_the_old_model", KINDS),
    (ReadsAnything, "check_failed_fit_keeps_the_old_model", KINDS),
    (FitsListsDifferently, "check_lists_agree", KINDS),
    (FitsPandasDifferently, "check_pandas_agrees", KINDS),
    (FitsPolarsDifferently, "check_polars_agrees", KINDS),
    (FitsStringsDifferently, "check_arrays_of_strings_agree", [Generator, Translator]),
    (FitsMasksDifferently, "check_masked_arrays_agree", KINDS),
    (ReadsBelowMasks, "check_masked_values_are_not_read", [Imputer]),
    (WritesToX, "check_read_only_arrays_agree", KINDS),
    (FitsViewsDifferently, "check_strided_arrays_agree", KINDS),
    (AssumesByteOrder, "check_byte_orders_agree", [Imputer]),
    (HoldsOutOldest, "check_newest_samples_are_held_out", KINDS),
    (HoldsOutNothing, "check_newest_samples_are_held_out", KINDS),
]


def mixed(fault, kind):
    """A class of this kind with the fault, which can be pickled by its name."""
    name = fault.__name__ + kind.__name__
    return globals().setdefault(name, type(name, (fault, kind), {}))


BROKEN = [(mixed(fault, kind), name, kind) for fault, name, kinds in FAULTS for kind in kinds]


@pytest.mark.parametrize(("broken", "name"), [(broken, name) for broken, name, _ in BROKEN])
def test_a_broken_one_is_caught_by_its_check(broken, name):
    model = broken(bidirectional=False) if issubclass(broken, ReadsLaterSteps) else broken()
    checks = {name_of(check): check for _, check in recurrent_checks_generator(model)}
    with pytest.raises(AssertionError, match=broken.__name__):
        checks[name](model)


@pytest.mark.parametrize("kind", KINDS)
def test_every_check_of_a_kind_has_a_broken_one(kind):
    models = [kind(), Imputer(bidirectional=False)] if kind is Imputer else [kind()]
    names = {name_of(check) for model in models for _, check in recurrent_checks_generator(model)}
    assert {name for _, name, of in BROKEN if of is kind} == names


# -- data of the user --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "texts", [["ab", "bca", "cabb", "ac"] * 3, [["do", "re"], ["re", "mi", "do"], ["mi", "re"]] * 3], ids=type
)
def test_texts_of_the_user_are_checked(texts):
    found = check_recurrent_estimator(
        SequenceGenerator(units=3, max_epochs=2, segment_length=4), X=texts, on_fail=None, on_skip=None
    )
    assert {one["check_name"] for one in found if one["status"] == "failed"} == set()


def test_series_without_a_gap_are_refused():
    with pytest.raises(ValueError, match="with NaN where a value is missing. Got an array of shape"):
        check_recurrent_estimator(Imputer(), X=np.zeros((9, 4, 2)))


def test_a_text_of_one_token_is_refused():
    with pytest.raises(ValueError, match="must have two tokens at least"):
        check_recurrent_estimator(Generator(), X=["ab"] * 8 + ["a"])


def test_texts_need_targets_where_there_is_something_to_predict():
    with pytest.raises(ValueError, match="X and y go together"):
        check_recurrent_estimator(Translator(), X=["ab"] * 8)
