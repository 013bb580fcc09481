"""The checks of estimators that read sequences."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from sklrnn.testing.batches_and_rows import (
    check_batch_of_one_equals_batch_of_many,
    check_neighbours_do_not_matter,
    check_order_of_rows_does_not_matter,
    check_padding_does_not_matter,
)
from sklrnn.testing.cases import case_of
from sklrnn.testing.fitted_state import check_failed_fit_keeps_the_old_model, check_predict_changes_nothing
from sklrnn.testing.formats import (
    check_arrays_of_strings_agree,
    check_byte_orders_agree,
    check_lists_agree,
    check_masked_arrays_agree,
    check_masked_values_are_not_read,
    check_pandas_agrees,
    check_polars_agrees,
    check_read_only_arrays_agree,
    check_strided_arrays_agree,
)
from sklrnn.testing.gap_case import check_only_gaps_are_filled, is_imputer
from sklrnn.testing.generated_texts import check_score_is_a_mean_over_tokens, check_token_stream_equals_generate
from sklrnn.testing.held_out import check_newest_samples_are_held_out, check_white_noise_is_not_predicted
from sklrnn.testing.kit import (
    Callback,
    Check,
    Expected,
    OnFail,
    OnSkip,
    bind,
    check_expected_names,
    refuse_class,
    run_checks,
)
from sklrnn.testing.options import has_option
from sklrnn.testing.sample_weights import check_weight_k_is_k_copies, check_weight_zero_is_absence
from sklrnn.testing.saving import check_joblib_round_trip, check_pickle_round_trip, check_skops_round_trip
from sklrnn.testing.seeds_and_threads import (
    check_global_generators_are_untouched,
    check_same_seed_gives_the_same_fit,
    check_same_seed_gives_the_same_fit_in_processes,
    check_same_seed_gives_the_same_fit_in_threads,
)
from sklrnn.testing.sequence_case import SequenceCase
from sklrnn.testing.time_order import (
    check_newest_input_is_felt,
    check_past_does_not_move_when_future_changes,
    check_states_are_causal,
    check_step_predictions_are_causal,
    check_stream_equals_batch,
)
from sklrnn.testing.trainable_parameters import check_every_parameter_is_alive

SequenceCheck = Callable[[Any], None]


def _always(case: SequenceCase) -> bool:
    return True


def _rows_are_independent(case: SequenceCase) -> bool:
    return not case.stateful


# Each check, and for which estimators it makes sense.
_CHECKS: dict[SequenceCheck, Callable[[SequenceCase], bool]] = {
    check_batch_of_one_equals_batch_of_many: _rows_are_independent,
    check_order_of_rows_does_not_matter: _rows_are_independent,
    check_neighbours_do_not_matter: _rows_are_independent,
    check_padding_does_not_matter: lambda case: not case.stateful and case.lengths_may_vary,
    check_states_are_causal: lambda case: case.can("hidden_states") and case.reads_forward,
    check_step_predictions_are_causal: lambda case: case.per_step and case.reads_forward,
    check_newest_input_is_felt: lambda case: case.can("predict"),
    check_stream_equals_batch: lambda case: case.can("start_stream"),
    check_token_stream_equals_generate: lambda case: case.can("generate", "stream"),
    check_score_is_a_mean_over_tokens: lambda case: case.can("generate"),
    check_only_gaps_are_filled: lambda case: is_imputer(case.estimator),
    check_past_does_not_move_when_future_changes: _always,
    check_every_parameter_is_alive: _always,
    check_weight_zero_is_absence: lambda case: case.takes_weights and not case.stateful,
    check_weight_k_is_k_copies: lambda case: case.takes_weights and not case.stateful,
    check_same_seed_gives_the_same_fit: lambda case: case.has_seed,
    check_same_seed_gives_the_same_fit_in_threads: lambda case: case.has_seed,
    check_same_seed_gives_the_same_fit_in_processes: lambda case: case.has_seed,
    check_global_generators_are_untouched: lambda case: case.has_seed,
    check_pickle_round_trip: _always,
    check_joblib_round_trip: _always,
    check_skops_round_trip: _always,
    check_predict_changes_nothing: _always,
    check_failed_fit_keeps_the_old_model: _always,
    check_lists_agree: _always,
    check_pandas_agrees: _always,
    check_polars_agrees: _always,
    check_arrays_of_strings_agree: lambda case: isinstance(case.X[0], str),
    check_masked_arrays_agree: _always,
    check_masked_values_are_not_read: lambda case: case.X.dtype.kind == "f",
    check_read_only_arrays_agree: _always,
    check_strided_arrays_agree: _always,
    check_byte_orders_agree: lambda case: case.reads_numbers,
    check_white_noise_is_not_predicted: lambda case: case.predicts_numbers,
    check_newest_samples_are_held_out: lambda case: (
        has_option(case.estimator, "early_stopping") and has_option(case.estimator, "validation_fraction")
    ),
}


def recurrent_checks_generator(estimator: Any, *, X: Any = None, y: Any = None) -> Iterator[tuple[Any, Check]]:
    """Give the checks of `check_recurrent_estimator` one by one.

    Parameters
    ----------
    estimator : object
        An estimator, see `check_recurrent_estimator`.
    X, y : array-like, default=None
        Data to check with, see `check_recurrent_estimator`.

    Yields
    ------
    estimator : object
        The estimator.
    check : callable
        To be called with the estimator; its failure is an ``AssertionError``.

    Examples
    --------
    >>> from sklrnn import GRURegressor
    >>> from sklrnn.testing import recurrent_checks_generator
    >>> model = GRURegressor(units=4, max_epochs=2)
    >>> for estimator, check in recurrent_checks_generator(model):
    ...     check(estimator)
    """
    refuse_class(estimator)
    case = case_of(estimator, X, y)
    checks = [check for check, applies in _CHECKS.items() if applies(case)]
    for check in bind(checks, partial(case_of, X=X, y=y)):
        yield estimator, check


def check_recurrent_estimator(
    estimator: Any,
    *,
    X: Any = None,
    y: Any = None,
    expected_failed_checks: Expected = None,
    on_skip: OnSkip = "warn",
    on_fail: OnFail = "raise",
    callback: Callback = None,
) -> list[dict[str, Any]]:
    """Check that an estimator of sequences keeps the invariants of one, as scikit-learn's ``check_estimator`` does.

    It needs ``fit`` and ``predict``; what else it has is found out: ``predict_proba``, ``hidden_states``,
    ``start_stream``, ``partial_fit``, ``sample_weight``, a torch module or the ``get_weights`` of Keras. Parameters are
    read by their names: ``return_sequences``, ``stateful``, ``bidirectional``, ``random_state`` and
    ``early_stopping``. So wrappers around skorch, Keras or other packages can be checked too.

    Three other kinds are known. One that reads texts, such as a translator, has scikit-learn's tag for strings, or is
    given texts as X. A generator has ``generate`` and ``score`` in place of ``predict``, as `SequenceGenerator` has
    them. An imputer has ``transform``, and a parameter ``missing_values``, as those of scikit-learn have.

    Where there is no ``random_state``, the global generators are seeded for each fit. Fits are many, so pass an
    estimator that trains for a few epochs only.

    Parameters
    ----------
    estimator : object
        An unfitted estimator. It stays unfitted.
    X : array-like of shape (sample, time) or (sample, time, feature), or list of texts, default=None
        Sequences to check with, at least 8; made for the estimator if not given. Pass some if it needs a certain shape
        or range. Those of an imputer are (sample, time, feature) with NaN; texts are strings or lists of tokens.
    y : array-like of shape (sample,), (sample, output) or (sample, time), or list of texts, default=None
        Their targets; imputers and generators have none.
    expected_failed_checks : dict of {str: str}, default=None
        Names of checks that may fail, and the reason why.
    on_skip : {"warn"} or None, default="warn"
        Whether to warn of a check that could not be run.
    on_fail : {"raise", "warn"} or None, default="raise"
        Whether to raise the error of the first check that fails, to warn of each, or only to report them.
    callback : callable, default=None
        Called with each result, as keywords; not with ``on_fail="raise"``.

    Returns
    -------
    results : list of dict
        For each check ``estimator``, ``check_name``, ``exception``, ``status`` ("passed", "failed", "xfail" or
        "skipped"), ``expected_to_fail`` and ``expected_to_fail_reason``.

    See Also
    --------
    parametrize_with_recurrent_checks : The same checks as parameters of a test.

    Examples
    --------
    >>> from sklrnn import GRURegressor
    >>> from sklrnn.testing import check_recurrent_estimator
    >>> results = check_recurrent_estimator(GRURegressor(units=4, max_epochs=2))
    >>> {result["status"] for result in results}
    {'passed'}
    """
    check_expected_names(expected_failed_checks, [check.__name__ for check in _CHECKS])
    return run_checks(
        estimator,
        [check for _, check in recurrent_checks_generator(estimator, X=X, y=y)],
        expected_failed_checks=expected_failed_checks,
        on_skip=on_skip,
        on_fail=on_fail,
        callback=callback,
    )
