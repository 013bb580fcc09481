"""Checks of the direction of time within sequences: nothing from later steps, and the newest step is read."""

import numpy as np

from sklrnn.testing.comparisons import assert_differs, assert_same, take_rows
from sklrnn.testing.sequence_case import SequenceCase


def check_states_are_causal(case: SequenceCase) -> None:
    """The hidden state after a step does not depend on later steps."""
    model = case.fit()
    states = np.asarray(model.hidden_states(case.X))
    rows = _rows_to_change(case)
    # Pooling over time makes one state of several steps.
    steps_per_state = -(-case.n_steps // states.shape[1])
    for number in range(states.shape[1] - 1):
        later = (number + 1) * steps_per_state
        assert_same(
            np.asarray(model.hidden_states(case.changed(slice(later, None), rows)))[rows, : number + 1],
            states[rows, : number + 1],
            f"The hidden states of {case.name} up to number {number} depend on steps from number {later} on.",
        )


def check_step_predictions_are_causal(case: SequenceCase) -> None:
    """The prediction at a step does not depend on later steps."""
    model = case.fit()
    answers, rows = np.asarray(case.answers(model)), _rows_to_change(case)
    for step in range(1, case.n_steps):
        assert_same(
            np.asarray(case.answers(model, case.changed(slice(step, None), rows)))[rows, :step],
            answers[rows, :step],
            f"The predictions of {case.name} for the steps before number {step} depend on the steps from there on.",
        )


def _rows_to_change(case: SequenceCase) -> slice:
    """All rows, or the last one where each row is read after the one before it."""
    return slice(-1, None) if case.stateful else slice(None)


def check_newest_input_is_felt(case: SequenceCase) -> None:
    """The newest step changes a prediction; where each step has one, its own step does."""
    model = case.fit()
    answers = case.answers(model)
    if not case.per_step:
        assert_differs(
            case.answers(model, case.changed(slice(-1, None))),
            answers,
            f"The predictions of {case.name} do not depend on the newest step of their sequences.",
        )
        return
    for step in range(case.n_steps):
        changed = case.changed(slice(step, step + 1))
        assert_differs(
            np.asarray(case.answers(model, changed))[:, step],
            np.asarray(answers)[:, step],
            f"The predictions of {case.name} for step {step} do not depend on the input of this step. Are they made "
            "from earlier states?",
        )


def check_stream_equals_batch(case: SequenceCase) -> None:
    """A stream predicts after each step what `predict` gives for the sequence so far."""
    model = case.fit()
    stream = model.start_stream()
    if case.stateful:
        _check_stream_of_segments(case, model, stream)
        return
    by_step = case.X[0].reshape(case.n_steps, -1)
    for step in range(case.n_steps):
        found = stream.step(case.X[0, step] if case.lengths_may_vary else by_step[step])
        if case.lengths_may_vary or step == case.n_steps - 1:
            expected = model.predict(case.X[:1, : step + 1] if case.lengths_may_vary else case.X[:1])[0]
            assert_same(
                found,
                expected[-1] if case.per_step else expected,
                f"The stream of {case.name} does not predict after {step + 1} step(s) what predict gives for these.",
            )


def _check_stream_of_segments(case: SequenceCase, model: object, stream: object) -> None:
    """The segments of a stateful estimator are one sequence, which the stream reads from end to end."""
    expected = model.predict(case.X[:3])  # type: ignore[attr-defined]
    for number, segment in enumerate(case.X[:3]):
        found = [stream.step(x) for x in segment]  # type: ignore[attr-defined]
        assert_same(
            np.asarray(found) if case.per_step else found[-1],
            expected[number],
            f"The stream of {case.name} does not predict for segment {number} what predict gives for it.",
        )


def check_past_does_not_move_when_future_changes(case: SequenceCase) -> None:
    """The predictions for earlier rows stay when later rows of the call change."""
    model = case.fit()
    for first in (1, len(case.X) // 2, len(case.X) - 1):
        assert_same(
            take_rows(case.answers(model, case.changed(rows=slice(first, None))), slice(first)),
            take_rows(case.answers(model), slice(first)),
            f"The predictions of {case.name} for the rows before number {first} change with the rows from there on.",
        )
