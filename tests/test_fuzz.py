"""Random estimators, options and inputs give finite answers or documented errors: see ``fuzz.py``."""

import importlib.util
import re
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import sklrnn
import sklrnn.forecasting
import sklrnn.sktime_adapters
from sklrnn import GRURegressor

SCRIPT = Path(__file__).parent / "fuzz.py"
# Functions that compare models for minutes, and what they return; an error that a splitter's check raises; what needs
# other processes.
NOT_TRIED = {
    "Checkpoints",
    "Comparison",
    "EstimatorComparison",
    "LeakageError",
    "compare",
    "compare_estimators",
    "data_parallel",
    "panel_from_long",
    "trusted_types",
}


def load_script():
    spec = importlib.util.spec_from_file_location("fuzz", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = script  # dataclasses look their module up
    spec.loader.exec_module(script)
    return script


fuzz = load_script()


def check(seed, n_tries):
    _, failures = fuzz.run_tries(seed, range(n_tries))
    assert not failures, "\n".join(fuzz.report(seed, number, *failure) for number, failure in failures.items())


@pytest.mark.parametrize("seed", range(6))
def test_a_try_ends_with_an_answer_or_a_documented_error(seed):
    check(seed, 50)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 120))
def test_thousands_of_tries_end_with_an_answer_or_a_documented_error(seed):
    check(seed, 300)


# -- the script itself -------------------------------------------------------------------------------------------------


def program(*actions, setup="X = rng.normal(size=(10, 5)); y = X[:, -1].copy()", refused=()):
    made = fuzz.programs.Program(np.random.default_rng(0))
    made.imports("GRURegressor")
    made.setup.append(setup)
    made.inputs += ["X", "y"]
    made.actions += ["model = GRURegressor(units=2, max_epochs=1)", *actions]
    made.refused += refused
    return made


FIT_AND_PREDICT = ("model.fit(X, y)", "expect(model.predict(X), (n,))")


def with_predict(monkeypatch, predict):
    original = GRURegressor.predict
    monkeypatch.setattr(GRURegressor, "predict", lambda self, X: predict(original(self, X), X))


def raises(error):
    def predict(answer, X):
        raise error

    return predict


def warns(kind):
    def predict(answer, X):
        warnings.warn("a word", kind, stacklevel=1)
        return answer

    return predict


def overwrites(answer, X):
    X[0] = 0.0
    return answer


def stumbles(answer, X):
    return len(5)


@pytest.mark.parametrize(
    ("predict", "failure"),
    [
        (lambda answer, X: answer * np.nan, "10 of 10 numbers are not finite"),
        (lambda answer, X: answer[1:], r"shape \(9,\) instead of \(10,\)"),
        (raises(AttributeError("no such thing")), "AttributeError: no such thing"),
        (raises(IndexError("out of range")), "IndexError: out of range"),
        (raises(ValueError("")), "ValueError without a message"),
        (stumbles, "TypeError by accident: object of type 'int' has no len"),
        (warns(RuntimeWarning), "RuntimeWarning from .*: a word"),
        (warns(UserWarning), "UserWarning from .*test_fuzz.py.*: a word"),
        (overwrites, "changed its input X"),
    ],
)
def test_a_broken_estimator_is_caught(predict, failure, monkeypatch):
    with_predict(monkeypatch, predict)
    outcome = fuzz.run(program("n = len(X)", *FIT_AND_PREDICT))
    assert re.search(failure, outcome.failure)


def test_a_model_that_a_failed_fit_changed_is_caught(monkeypatch):
    original = GRURegressor.fit

    def fit(self, X, y):
        original(self, X, y)
        if (y == 0).all():
            raise ValueError("y is constant")
        return self

    monkeypatch.setattr(GRURegressor, "fit", fit)
    again = ["before = model.predict(X)", "try: model.fit(X, 0 * y)", "except ValueError: pass"]
    outcome = fuzz.run(program("model.fit(X, y)", *again, "expect_equal(model.predict(X), before)"))
    assert outcome.failure.startswith("wrong answer")


def test_something_bad_that_is_taken_is_caught():
    outcome = fuzz.run(program("n = len(X)", *FIT_AND_PREDICT, refused=["strings in X"]))
    assert outcome.failure == "took without an error: strings in X"


def test_a_good_answer_and_a_documented_error_are_no_failures():
    assert fuzz.run(program("n = len(X)", *FIT_AND_PREDICT)) == fuzz.Outcome("answer")
    refused = fuzz.run(program("model.fit(np.full((10, 5), np.inf), y)", refused=["infinity in X"]))
    assert (refused.kind, refused.failure) == ("ValueError", "")


def test_a_repeated_warning_is_caught():
    outcome = fuzz.run(program("import warnings", "for _ in range(2): warnings.warn('again', UserWarning)"))
    assert outcome.failure == "2 times the same warning for line 6: again"


def test_tries_of_a_seed_are_the_same_again():
    (first, outcome), (second, again) = fuzz.run_try(0, 7), fuzz.run_try(0, 7)
    assert first.lines == second.lines
    assert outcome == again
    assert first.lines != fuzz.programs.draw(1, 7).lines


def test_everything_public_is_tried():
    code = "\n".join(line for number in range(3000) for line in fuzz.programs.draw(0, number).lines)
    public = {*sklrnn.__all__, *sklrnn.forecasting.__all__, *sklrnn.sktime_adapters.__all__} - NOT_TRIED
    assert sorted(name for name in public if f"{name}(" not in code) == []


@pytest.mark.parametrize("kind", fuzz.programs.PROGRAMS, ids=lambda kind: kind.__name__)
def test_programs_of_each_kind_also_give_answers(kind):
    for number in range(40):
        made = fuzz.programs.Program(np.random.default_rng(number))
        kind(made)
        if fuzz.run(made) == fuzz.Outcome("answer"):
            return
    pytest.fail("no answer in 40 tries")


def test_script_prints_the_number_of_tries_and_of_each_outcome(monkeypatch, capsys):
    with_predict(monkeypatch, lambda answer, X: answer * np.nan)
    monkeypatch.setattr(sys, "argv", ["fuzz.py", "--tries", "2", "--seed", "3"])
    made = [program("n = len(X)", *FIT_AND_PREDICT), program("model.fit(X, y)")]
    monkeypatch.setattr(fuzz.programs, "draw", lambda seed, number: made[number])
    assert fuzz.main() == 1
    printed = capsys.readouterr().out
    assert "# try 0 of seed 3: wrong answer" in printed
    assert "\nmodel.fit(X, y)\nexpect(model.predict(X), (n,))\n" in printed
    assert printed.endswith("2 tries of seed 3:\n      1 failure\n      1 answer\n")
