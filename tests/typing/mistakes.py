"""Mistakes of users: beside each stands what mypy and pyright must call it. ``.ci/check_types.py`` compares."""

from typing import Any

from sklrnn import (
    CNNLSTMClassifier,
    GRURegressor,
    LSTMClassifier,
    LSTMRegressor,
    RecurrentClassifier,
    RecurrentImputer,
    RecurrentRegressor,
    SequenceGenerator,
    SequenceScaler,
    SequenceTranslator,
    SimpleRNNRegressor,
    SlidingWindow,
    TokenEncoder,
)
from sklrnn.forecasting import GRUForecaster, RecurrentForecaster


def misspelt_parameters() -> None:
    GRURegressor(unit=3)  # mypy: call-arg, pyright: reportCallIssue
    LSTMClassifier(n_units=3)  # mypy: call-arg, pyright: reportCallIssue
    GRUForecaster(window_lenght=24)  # mypy: call-arg, pyright: reportCallIssue
    SlidingWindow(length=10)  # mypy: call-arg, pyright: reportCallIssue
    SequenceScaler(scalar=None)  # mypy: call-arg, pyright: reportCallIssue
    TokenEncoder(lower=True)  # mypy: call-arg, pyright: reportCallIssue


def parameters_that_a_class_does_not_have() -> None:
    GRURegressor(cell="lstm")  # mypy: call-arg, pyright: reportCallIssue
    GRURegressor(forget_bias=1)  # mypy: call-arg, pyright: reportCallIssue
    LSTMClassifier(reset_after=False)  # mypy: call-arg, pyright: reportCallIssue
    SimpleRNNRegressor(peephole=True)  # mypy: call-arg, pyright: reportCallIssue
    CNNLSTMClassifier(activation="relu")  # mypy: call-arg, pyright: reportCallIssue
    GRUForecaster(peephole=True)  # mypy: call-arg, pyright: reportCallIssue
    SequenceGenerator(pool_size=2)  # mypy: call-arg, pyright: reportCallIssue
    SequenceGenerator(bidirectional=True)  # mypy: call-arg, pyright: reportCallIssue
    SequenceTranslator(filters=8)  # mypy: call-arg, pyright: reportCallIssue
    RecurrentImputer(pool_size=2)  # mypy: call-arg, pyright: reportCallIssue
    RecurrentClassifier(quantiles=(0.1, 0.9))  # mypy: call-arg, pyright: reportCallIssue
    LSTMRegressor(classes_=[0, 1])  # mypy: call-arg, pyright: reportCallIssue


def wrong_types() -> None:
    GRURegressor(units="32")  # mypy: arg-type, pyright: reportArgumentType
    GRURegressor(dropout="0.1")  # mypy: arg-type, pyright: reportArgumentType
    GRURegressor(bidirectional="yes")  # mypy: arg-type, pyright: reportArgumentType
    GRURegressor(quantiles=0.9)  # mypy: arg-type, pyright: reportArgumentType
    SlidingWindow("10")  # mypy: arg-type, pyright: reportArgumentType
    GRURegressor(32)  # mypy: call-arg, pyright: reportCallIssue


def names_that_do_not_exist() -> None:
    RecurrentRegressor(cell="elman")  # mypy: arg-type, pyright: reportArgumentType
    GRURegressor(loss="mse")  # mypy: arg-type, pyright: reportArgumentType
    GRURegressor(optimizer="adagrad")  # mypy: arg-type, pyright: reportArgumentType
    GRURegressor(schedule="onecycle")  # mypy: arg-type, pyright: reportArgumentType
    LSTMClassifier(class_weight="balance")  # mypy: arg-type, pyright: reportArgumentType
    RecurrentForecaster(loss="poisson")  # mypy: arg-type, pyright: reportArgumentType
    RecurrentForecaster(strategy="iterative")  # mypy: arg-type, pyright: reportArgumentType
    SequenceTranslator(max_epochs="many")  # mypy: arg-type, pyright: reportArgumentType
    TokenEncoder(analyzer="words")  # mypy: arg-type, pyright: reportArgumentType


def methods_and_attributes(X: Any, y: Any) -> None:
    GRURegressor().fitt(X, y)  # mypy: attr-defined, pyright: reportAttributeAccessIssue
    GRURegressor().fit(X)  # mypy: call-arg, pyright: reportCallIssue
    GRURegressor().fit(X, y).predict_proba(X)  # mypy: attr-defined, pyright: reportAttributeAccessIssue
    LSTMClassifier().fit(X, y).predict_interval(X)  # mypy: attr-defined, pyright: reportAttributeAccessIssue
    GRUForecaster().fit(y).predict_intervals()  # mypy: attr-defined, pyright: reportAttributeAccessIssue
    GRURegressor().peephole = True  # mypy: attr-defined, pyright: reportAttributeAccessIssue
    GRURegressor().units = "32"  # mypy: assignment, pyright: reportAttributeAccessIssue
    SequenceGenerator().fit(X).generate(len=3)  # mypy: call-arg, pyright: reportCallIssue
