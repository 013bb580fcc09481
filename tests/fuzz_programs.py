"""The random programs of `fuzz.py`: code that a user could write, with good and bad options and inputs."""

from collections.abc import Callable
from typing import Any

import numpy as np

Options = dict[str, list[str]]


class Program:
    """Lines of code that are drawn with a generator; what they hold that has to be refused is noted.

    ``setup`` makes the inputs, ``actions`` are tried. A program of a failure is printed, so it is code and not calls.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.setup = [f"rng = np.random.default_rng({rng.integers(1000)})"]
        self.actions: list[str] = []
        self.inputs: list[str] = []
        self.refused: list[str] = []

    @property
    def lines(self) -> list[str]:
        return [*self.setup, *self.actions]

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def pick(self, choices: Any) -> Any:
        choices = list(choices)
        return choices[self.rng.integers(len(choices))]

    def input(self, name: str, good: list[str], bad: dict[str, str], *, risk: float) -> None:
        """Set a variable to one of the inputs; ``bad`` maps code to the reason why it has to be refused."""
        if bad and self.chance(risk):
            code, reason = self.pick(bad.items())
            self.refused.append(reason)
        else:
            code = self.pick(good)
        self.setup.append(f"{name} = {code}")
        self.inputs.append(name)

    def options(self, good: Options, bad: Options, *, most: int, risk: float, **fixed: str) -> str:
        """Arguments of a class: those that are fixed, up to ``most`` good ones, and now and then a bad one."""
        names = self.rng.permutation(list(good))[: self.rng.integers(most + 1)]
        chosen = fixed | {str(name): self.pick(good[str(name)]) for name in names}
        if bad and self.chance(risk):
            name = self.pick(bad)
            chosen[name] = self.pick(bad[name])
            self.refused.append(f"{name}={chosen[name]}")
        return ", ".join(f"{name}={value}" for name, value in chosen.items())

    def imports(self, *names: str, package: str = "sklrnn") -> None:
        self.setup.insert(1, f"from {package} import {', '.join(names)}")


# -- options -----------------------------------------------------------------------------------------------------------

NETWORK = {
    "units": ["2", "(2, 3)", "np.int64(2)", "[2, 2]"],
    "dropout": ["0.3"],
    "recurrent_dropout": ["0.3"],
    "residual": ["True"],
    "l1": ["0.01"],
    "l2": ["0.01", "np.float32(0.1)"],
    "optimizer": ["'adam'", "'sgd'", "'rmsprop'", "'nadam'", "torch.optim.Adagrad"],
    "learning_rate": ["1e-3", "0.1", "1e6"],
    "schedule": ["'one_cycle'", "'constant'"],
    "batch_size": ["1", "4", "1000"],
    "max_grad_norm": ["None", "0.1"],
    "early_stopping": ["True", "False"],
    "validation_fraction": ["0.5", "0.99", "0.01"],
    "n_iter_no_change": ["1", "'auto'"],
    "tol": ["0.0", "10.0"],
    "precision": ["'bf16'", "'float32'"],
    "random_state": ["0", "None", "np.random.RandomState(0)"],
}
BAD_NETWORK = {
    "units": ["0", "-3", "2.5", "'32'", "()", "None", "(2, 0)", "[2, 'a']", "np.nan"],
    "dropout": ["1.0", "-0.1", "'a'", "None", "np.nan"],
    "l2": ["-1", "np.inf", "'a'"],
    "optimizer": ["'Adam'", "'adamax'", "3", "None", "torch.optim.SparseAdam", "torch.nn.Linear"],
    "learning_rate": ["0", "-1", "'a'", "None", "np.nan"],
    "schedule": ["'cosine'", "None"],
    "batch_size": ["0", "1.5", "None"],
    "max_grad_norm": ["0", "'a'"],
    "early_stopping": ["'yes'", "None"],
    "validation_fraction": ["0", "1", "2.0", "None"],
    "precision": ["'float16'", "None", "16"],
    "device": ["'gpu'", "None", "'cuda:x'"],
    "random_state": ["'x'", "-1", "1.5"],
    "n_jobs": ["0", "-2", "'all'"],
    "verbose": ["-1", "3"],
    "checkpoint": ["5", "('a', 'b')"],
    "callbacks": ["5", "'x'"],
    "max_epochs": ["0", "-1", "1.5", "None", "'x'"],
    "unit": ["3"],
    "hidden_size": ["3"],
}
CELL = {
    "cell": ["'lstm'", "'simple_rnn'", "'gru'", "'minimal_gru'", "'slstm'", "torch.nn.GRU", "torch.nn.LSTM"],
}
BAD_CELL = {
    "cell": ["'GRU'", "'transformer'", "5", "None", "torch.nn.GRU(2, 2)", "dict", "torch.nn.Linear", "lambda a, b: 1"],
}
CONVOLUTION = {"filters": ["2", "(2, 3)", "None"], "kernel_size": ["1", "3", "40"]}
BAD_CONVOLUTION = {"filters": ["0", "()", "'3'", "1.5"], "kernel_size": ["0", "2.5", "None"]}
ESTIMATOR = (
    NETWORK
    | CONVOLUTION
    | {
        "bidirectional": ["True"],
        "pool_size": ["2", "40", "'auto'"],
        "pooling": ["'last'", "'mean'", "'max'", "'attention'"],
        "batch_norm": ["True"],
        "convolution_skip": ["True"],
        "normalize_X": ["False"],
        "shuffle": ["False"],
        "stateful": ["True"],
        "warm_start": ["True"],
        "missing": ["'mask'"],
    }
)
BAD_ESTIMATOR = (
    BAD_NETWORK
    | BAD_CONVOLUTION
    | {
        "pool_size": ["0", "None", "'half'"],
        "pooling": ["'sum'", "None"],
        "missing": ["'nan'", "None", "True"],
        "embedding_dim": ["0", "'a'", "1.5"],
        "n_timesteps": ["0", "3.5"],
        "loss": ["'mse'", "'cross_entropy'", "None", "5", "'hinge'"],
    }
)
REGRESSION = {
    "loss": ["'absolute_error'", "'huber'", "'quantile'", "'gaussian'", "torch.nn.SmoothL1Loss"],
    "normalize_y": ["False"],
    "quantiles": ["(0.1, 0.9)", "[0.5]"],
    "calibration_cv": ["2", "3", "[(range(3), range(3, 6))]"],
}
BAD_REGRESSION = {
    "quantiles": ["(0.9, 0.1)", "(0, 0.5)", "()", "'x'", "5"],
    "calibration_cv": ["1", "True", "'x'", "0.5"],
    "loss": ["'mse'", "'log_loss'", "torch.nn.CrossEntropyLoss", "torch.nn.Linear", "None"],
}
NAMED = ["SimpleRNN", "GRU", "LSTM", "CNNLSTM", "Recurrent"]

# -- inputs ------------------------------------------------------------------------------------------------------------

SEQUENCES = [
    "rng.normal(size=(n, 5, 2))",
    "rng.normal(size=(n, 5))",
    "rng.normal(size=(n, 5, 2)).astype(np.float32)",
    "rng.normal(size=(n, 1, 1))",
    "rng.integers(0, 9, size=(n, 5, 2))",
    "rng.normal(size=(2, 5, n)).T",
    "np.lib.stride_tricks.sliding_window_view(rng.normal(size=n + 4), 5)",
    "[rng.normal(size=(k % 4 + 1, 2)) for k in range(n)]",
    "np.array([rng.normal(size=(k % 4 + 1, 2)) for k in range(n)] + [None], dtype=object)[:-1]",
    "pd.DataFrame(rng.normal(size=(n, 5)), index=pd.date_range('2024', periods=n))",
    "pl.DataFrame(rng.normal(size=(n, 5)))",
    "rng.normal(size=(n, 5, 2)).tolist()",
    "rng.random(size=(n, 5, 2)) > 0.5",
    "np.full((n, 5, 2), 7.0)",
    "np.ma.masked_array(rng.normal(size=(n, 5, 2)), mask=False)",
    "torch.from_numpy(rng.normal(size=(n, 5, 2)))",
    "1e30 * rng.normal(size=(n, 5, 2))",
    "1e160 * rng.normal(size=(n, 5, 2))",
    "1e308 * rng.normal(size=(n, 5, 2)).clip(-1, 1)",
    "1e-200 * rng.normal(size=(n, 5, 2))",
    "5e-324 * rng.integers(0, 9, size=(n, 5, 2))",
    "1e12 + rng.normal(size=(n, 5, 2))",
]
BAD_SEQUENCES = {
    "np.where(rng.random((n, 5, 2)) < 2, np.inf, 0.0)": "infinity in X",
    "np.zeros((0, 5, 2))": "no sample in X",
    "np.zeros((n, 0, 2))": "no step in X",
    "np.zeros((n, 5, 0))": "no feature in X",
    "rng.normal(size=n)": "one axis of X",
    "rng.normal(size=(n, 2, 2, 2))": "four axes of X",
    "np.full((n, 5), 'word')": "strings in X",
    "['a few words'] * n": "texts as X",
    "np.full((n, 5), 'word', dtype=object)": "strings in X",
    "np.full((n, 5), np.datetime64('2024-01-01'))": "dates in X",
    "pd.DataFrame({'a': pd.date_range('2024', periods=n), 'b': pd.date_range('2025', periods=n)})": "dates in X",
    "rng.normal(size=(n, 5)) + 1j": "complex numbers in X",
    "sparse.csr_array(rng.normal(size=(n, 5)))": "a sparse X",
    "None": "no X",
    "5.0": "a number as X",
    "{'a': [1.0] * n}": "a dict as X",
    "{1.0, 2.0, 3.0}": "a set as X",
    "pd.Series([np.zeros(5)] * n)": "a Series of arrays as X",
    "pd.DataFrame({'a': [pd.Series(rng.normal(size=5)) for _ in range(n)]})": "a nested frame as X",
    "torch.ones((n, 5, 2), requires_grad=True)": "a tensor with gradient as X",
    "[np.zeros((3, 1 + k % 2)) for k in range(n)]": "sequences with several numbers of features",
    "[np.zeros((0, 2))] + [np.zeros((3, 2))] * (n - 1)": "an empty sequence",
    "[[10**400] * 5] * n": "a number of 400 digits in X",
    "rng.normal(size=(n + 1, 5, 2))": "more samples in X than in y",
}
# NaN is an error as long as missing="mask" does not allow it.
MISSING = {
    "np.where(rng.random((n, 5, 2)) < 0.3, np.nan, 1.0)": "NaN in X",
    "np.full((n, 5, 2), np.nan)": "NaN in X",
    "[np.where(rng.random((k % 4 + 1, 2)) < 0.9, np.nan, 1.0) for k in range(n)]": "NaN in X",
    "np.ma.masked_array(rng.normal(size=(n, 5, 2)), mask=rng.random((n, 5, 2)) < 0.3)": "masked values in X",
    "pd.DataFrame(rng.normal(size=(n, 5))).convert_dtypes().mask(rng.random((n, 5)) < 0.3)": "pd.NA in X",
}
TARGETS = [
    "rng.normal(size=n)",
    "rng.normal(size=n).astype(np.float32)",
    "rng.normal(size=n).tolist()",
    "pd.Series(rng.normal(size=n))",
    "pl.Series(rng.normal(size=n))",
    "rng.integers(0, 50, size=n)",
    "np.full(n, 3.0)",
    "np.sort(rng.normal(size=n))",
    "rng.normal(size=(n, 3))",
    "pd.DataFrame(rng.normal(size=(n, 2)), columns=['a', 'b'])",
    "1e30 * rng.normal(size=n)",
    "1e200 * rng.normal(size=n)",
    "1e-165 * rng.normal(size=n)",
    "1e300 + np.zeros(n)",
    "1e12 + rng.normal(size=n)",
]
BAD_TARGETS = {
    "np.full(n, np.nan)": "NaN in y",
    "np.append(rng.normal(size=n - 1), np.inf)": "infinity in y",
    "None": "no y",
    "rng.normal(size=n - 1)": "fewer targets than samples",
    "rng.normal(size=(n, 2, 2))": "three axes of y",
    "np.full(n, 'word')": "strings in y",
    "pd.date_range('2024', periods=n)": "dates in y",
    "np.full(n, np.datetime64('2024-01-01'))": "dates in y",
    "np.ma.masked_array(rng.normal(size=n), mask=np.arange(n) % 2 == 0)": "masked values in y",
    "dict.fromkeys(range(n), 1.0)": "a dict as y",
    "rng.normal(size=n) + 1j": "complex numbers in y",
    "pd.array([1, None] * n, dtype='Int64')[:n]": "pd.NA in y",
    "torch.ones(n, requires_grad=True)": "a tensor with gradient as y",
    "[None] * n": "None in y",
    "5.0": "a number as y",
}
LABELS = [
    "rng.permutation(np.arange(n) % 3)",
    "np.sort(np.arange(n) % 3)",
    "np.array(['a', 'b', 'c'])[np.arange(n) % 3]",
    "['yes' if k % 2 else 'no' for k in range(n)]",
    "np.arange(n) % 2 == 0",
    "np.where(np.arange(n) % 2, -1.0, 1.0)",
    "pd.Series(np.array(['a', 'b'])[np.arange(n) % 2], dtype='category')",
    "pd.Series(np.array(['a', 'b'])[np.arange(n) % 2], dtype='string')",
    "pl.Series(np.array(['a', 'b'])[np.arange(n) % 2])",
    "(np.arange(n) == n - 1).astype(int)",
    "(np.arange(n) % 2).astype(np.uint8)",
]
BAD_LABELS = {
    "rng.normal(size=n)": "numbers as labels",
    "np.where(np.arange(n) % 2, np.nan, 1.0)": "NaN in labels",
    "None": "no y",
    "np.zeros(n - 1)": "fewer labels than samples",
    "['a', 1] * (n // 2)": "strings and numbers as labels",
    "pd.Series(['a', pd.NA] * (n // 2))": "pd.NA as a label",
    "pd.Series(['a', pd.NA] * (n // 2), dtype='string')": "pd.NA as a label",
    "[None, 'a'] * (n // 2)": "None as a label",
    "dict.fromkeys(range(n), 'a')": "a dict as y",
    "np.ma.masked_array(np.arange(n) % 2, mask=np.arange(n) % 5 == 0)": "masked labels",
    "np.zeros((n, 2, 2))": "three axes of y",
}


# -- regressors and classifiers ----------------------------------------------------------------------------------------


def regressor(p: Program) -> None:
    targets = (TARGETS, BAD_TARGETS)
    _fit(p, "Regressor", ESTIMATOR | REGRESSION, BAD_ESTIMATOR | BAD_REGRESSION, *targets)
    y = next(line for line in p.setup if line.startswith("y = "))
    p.actions += [
        *p.pick(
            [
                ["expect(model.predict(X), (n, *np.shape(y)[1:]))"],
                ["expect(model.predict(X[:1]), (1, *np.shape(y)[1:]))"],
                ["expect(model.predict_interval(X, coverage=0.5), (n, *np.shape(y)[1:], 2))"],
                ["expect(model.predict_quantiles(X, [0.3, 0.5]), (n, *np.shape(y)[1:], 2))"],
                # scikit-learn's R2 of such numbers overflows.
                [] if {"1e200", "1e300"} & {*y.replace("(", " ").split()} else ["expect(model.score(X, y), ())"],
                ["expect(model.partial_fit(X, y).predict(X), (n, *np.shape(y)[1:]))"],
                ["expect(model.hidden_states(X), n=n)"],
                ["import pickle", "expect_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))"],
                ["assert str(model.n_parameters_) in str(model.summary(show=False))"],
                _predict_something_bad(p),
                _fit_again_with_something_bad(p),
            ]
        )
    ]


def classifier(p: Program) -> None:
    _fit(p, "Classifier", ESTIMATOR | {"class_weight": ["'balanced'"]}, BAD_ESTIMATOR, LABELS, BAD_LABELS)
    p.actions += [
        *p.pick(
            [
                ["expect(model.predict(X), (n,), among=y)"],
                ["expect(model.predict_proba(X), (n, len(model.classes_)))"],
                ["expect(model.predict_log_proba(X), (n, len(model.classes_)))"],
                ["expect(model.score(X, y), ())"],
                ["expect(model.partial_fit(X, y).predict(X), (n,), among=y)"],
                ["expect(model.hidden_states(X), n=n)"],
                ["import pickle", "expect_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))"],
                ["assert str(model.n_parameters_) in str(model.summary(show=False))"],
                _predict_something_bad(p),
                _fit_again_with_something_bad(p),
            ]
        )
    ]


def _fit(p: Program, task: str, good: Any, bad: Any, targets: list[str], bad_targets: dict[str, str]) -> None:
    p.setup.append(f"n = {p.pick([2, 10, 10, 12])}")
    name = p.pick(NAMED) + task
    p.imports(name)
    p.input("X", SEQUENCES, BAD_SEQUENCES | MISSING, risk=0.25)
    p.input("y", targets, bad_targets, risk=0.15)
    if name.startswith("Recurrent"):
        # Networks of convolutions alone need filters, which the program may lack: that is an error too.
        good |= {"cell": [*CELL["cell"], "None"]}
        bad |= {"cell": [code for code in BAD_CELL["cell"] if code != "None"]}
    p.actions.append(f"model = {name}({p.options(good, bad, most=4, risk=0.12, max_epochs='1')})")
    if "missing='mask'" in p.actions[0]:
        p.refused = [reason for reason in p.refused if reason not in MISSING.values()]
    weights = ", sample_weight=rng.integers(0, 3, size=n)" if p.chance(0.1) else ""
    p.actions.append(f"model.fit(X, y{weights})")


def _predict_something_bad(p: Program) -> list[str]:
    bad = {code: reason for code, reason in BAD_SEQUENCES.items() if "more samples" not in reason}
    code = p.pick(bad)
    reason = f"to predict: {bad[code]}"
    return [f"model.predict({code})", f"refuse({reason!r})"]


def _fit_again_with_something_bad(p: Program) -> list[str]:
    code = p.pick([*BAD_SEQUENCES, *MISSING])
    return [
        "before = model.predict(X)",
        "try:",
        f"    model.fit({code}, y)",
        "except (ValueError, TypeError):",
        "    expect_equal(model.predict(X), before)",
    ]


def step_labels(p: Program) -> None:
    """One target for each step."""
    kind = p.pick(["Regressor", "Classifier"])
    name = p.pick(NAMED) + kind
    p.imports(name)
    p.setup.append("n = 10")
    p.input("X", ["rng.normal(size=(n, 5, 2))", "[rng.normal(size=(k % 4 + 1, 2)) for k in range(n)]"], {}, risk=0)
    of_steps = "[x[:, 0] for x in X]" if kind == "Regressor" else "[np.where(x[:, 0] > 0, 'a', 'b') for x in X]"
    bad = {
        "[x[:-1, 0] for x in X]": "fewer targets than steps",
        "[x[:, 0] for x in X][:-1]": "fewer targets than samples",
        "rng.normal(size=n)": "one target a sequence",
        "[np.full(len(x), np.nan) for x in X]": "NaN in y",
    }
    p.input("y", [of_steps], bad, risk=0.3)
    joins_steps = {"pool_size", "pooling", "convolution_skip"}
    good = {name: values for name, values in ESTIMATOR.items() if name not in joins_steps}
    options = p.options(good, BAD_ESTIMATOR, most=3, risk=0.1, max_epochs="1")
    p.actions += [
        f"model = {name}(return_sequences=True, {options})",
        "model.fit(X, y)",
        p.pick(
            [
                "answer = model.predict(X); expect_equal([len(a) for a in answer], [len(x) for x in X])",
                "expect(model.score(X, y), ())",
                "expect(model.predict(X[:2]), n=2)",
            ]
        ),
    ]


def tokens(p: Program) -> None:
    """Token numbers with an embedding."""
    name = p.pick(["GRURegressor", "LSTMClassifier"])
    p.imports(name)
    p.setup.append("n = 10")
    good = [
        "rng.integers(0, 9, size=(n, 5))",
        "[rng.integers(0, 9, size=k % 4 + 1) for k in range(n)]",
        "rng.integers(-5, 10**9, size=(n, 5))",
        "rng.integers(0, 9, size=(n, 5)).astype(np.uint8)",
        "rng.integers(0, 9, size=(n, 5)).tolist()",
    ]
    bad = {
        "rng.normal(size=(n, 5))": "fractions as tokens",
        "[[2**70] * 5] * n": "tokens of 2**70",
        "[[10**400] * 5] * n": "tokens of 400 digits",
        "np.full((n, 5), 2.0**70)": "tokens of 2**70",
        "np.full((n, 5), np.nan)": "NaN as tokens",
        "np.full((n, 5), 'word')": "strings as tokens",
        "np.ma.masked_array(rng.integers(0, 9, size=(n, 5)), mask=np.eye(n, 5) > 0)": "masked tokens",
        "np.zeros((n, 5, 2), dtype=int)": "two tokens a step",
        "np.zeros((n, 0), dtype=int)": "no tokens",
    }
    p.input("X", good, bad, risk=0.4)
    p.setup.append("y = np.arange(n) % 2")
    p.actions += [
        f"model = {name}({p.options(NETWORK, BAD_NETWORK, most=3, risk=0.1, max_epochs='1', embedding_dim='3')})",
        "model.fit(X, y)",
        "expect(model.predict(X), (n,))",
    ]


# -- texts -------------------------------------------------------------------------------------------------------------

TEXTS = [
    "['one', 'two', 'three'] * 4",
    "['one two three four five six seven ' * 5]",
    "[['a', 'b'], ['b'], ['a', 'a', 'c']]",
    "[np.array([1, 2, 3]), np.array([3, 1])]",
    "pd.Series(['one', 'two', 'three'])",
    "np.array(['one', 'two', 'three'])",
    "pl.Series(['one', 'two', 'three'])",
    "['\U0001f600', 'naïve', 'ß\\n\\t']",
    "('one', 'two')",
    "['a', '', 'b']",
    "[[2**62, 1], [1]]",
]
BAD_TEXTS = {
    "{'one': 1, 'two': 2}": "a dict as texts",
    "{'one', 'two'}": "a set as texts",
    "'one text'": "a string as texts",
    "None": "no texts",
    "5": "a number as texts",
    "[]": "no text",
    "[None, 'a']": "None as a text",
    "[1.5, 2.5]": "numbers as texts",
    "[[1.5, 2.5], [0.5]]": "fractions as tokens",
    "['a', 1]": "a text and a number",
    "[['a', 1], ['b']]": "strings and numbers in a text",
    "[b'one', b'two']": "bytes as texts",
    "['a', ['b']]": "strings and lists as texts",
    "[[2**70, 1], [1]]": "tokens of 2**70",
    "[[10**400, 1], [1]]": "tokens of 400 digits",
    "pd.Series(['a', pd.NA])": "pd.NA as a text",
    "[['a', None], ['b']]": "None as a token",
    "[{'a': 1}, {'b': 2}]": "dicts as texts",
}


def generator(p: Program) -> None:
    p.imports("SequenceGenerator")
    good = (
        NETWORK
        | CELL
        | {
            "analyzer": ["'word'"],
            "lowercase": ["True"],
            "min_count": ["2", "100"],
            "max_tokens": ["2"],
            "segment_length": ["1", "3"],
            "embedding_dim": ["1"],
            "shuffle": ["False"],
        }
    )
    bad = BAD_NETWORK | BAD_CELL | {"analyzer": ["'sentence'"], "segment_length": ["0"], "embedding_dim": ["None"]}
    p.input("X", TEXTS, BAD_TEXTS, risk=0.3)
    options = p.options(good, bad, most=3, risk=0.15, max_epochs="1", units="2", segment_length="3")
    p.actions += [
        f"model = SequenceGenerator({options})",
        "model.fit(X)",
        *p.pick(
            [
                ["expect(model.score(X), ())"],
                ["expect(model.perplexity(X), ())"],
                [
                    "first = model.generate(length=5, random_state=0)",
                    "expect_equal(model.generate(length=5, random_state=0), first)",
                ],
                ["assert len(list(model.stream(length=4))) <= 4"],
                ["model.generate(length=3, temperature=1e-9, top_k=1)"],
                *[
                    [f"model.generate({arguments})", f"refuse({arguments!r})"]
                    for arguments in (
                        "length=-1",
                        "length=1.5",
                        "length='x'",
                        "length=2, temperature=0",
                        "length=2, temperature=np.nan",
                        "length=2, temperature='hot'",
                        "length=2, top_k=0",
                        "length=2, context=[1.0]",
                        "5.5, length=2",
                        "'§', length=2",
                    )
                ],
            ]
        ),
    ]


def translator(p: Program) -> None:
    p.imports("SequenceTranslator")
    numbers = [
        "[rng.normal(size=k % 3 + 1) for k in range(6)]",
        "rng.normal(size=(6, 3, 2))",
        "rng.normal(size=(6, 3))",
    ]
    six = [
        "['one', 'two', 'three'] * 2",
        "[['a', 'b'], ['b']] * 3",
        "[[1, 2], [2]] * 3",
        "pd.Series(['one', 'two', 'three'] * 2)",
        "np.array(['one', 'two', 'three'] * 2)",
        "pl.Series(['one', 'two', 'three'] * 2)",
        "['a', '', 'b'] * 2",
        *numbers,
    ]
    bad = BAD_TEXTS | {
        "['one']": "fewer sequences on one side",
        "[np.full(3, np.nan)] * 6": "NaN",
        "[np.full(3, np.inf)] * 6": "infinity",
        "np.full((6, 3), np.datetime64('2024-01-01'))": "dates",
        "np.ma.masked_array(np.ones((6, 3)), mask=np.eye(6, 3) > 0)": "masked values",
    }
    bad = {code: reason for code, reason in bad.items() if code not in ("[1.5, 2.5]", "[[1.5, 2.5], [0.5]]")}
    p.input("X", six, bad, risk=0.2)
    p.input("y", six, bad, risk=0.15)
    good = (
        NETWORK
        | CELL
        | {
            "bidirectional": ["True"],
            "attention": ["True"],
            "teacher_forcing": ["0.5", "0.0"],
            "beam_size": ["2"],
            "max_length": ["1", "5"],
            "analyzer": ["'word'"],
            "unknown": ["'drop'", "'error'"],
            "min_count": ["2"],
            "normalize_y": ["False"],
        }
    )
    wrong = (
        BAD_NETWORK
        | BAD_CELL
        | {
            "teacher_forcing": ["1.5", "None"],
            "beam_size": ["0", "None"],
            "max_length": ["0", "'long'"],
            "unknown": ["'skip'"],
        }
    )
    options = p.options(good, wrong, most=4, risk=0.12, max_epochs="1", units="2")
    p.actions += [
        f"model = SequenceTranslator({options})",
        "model.fit(X, y)",
        p.pick(
            [
                "expect(model.predict(X), n=6)",
                "expect(model.predict(X[:2]), n=2)",
                "expect(model.score(X, y), ())",
                "import pickle; expect_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))",
            ]
        ),
    ]


def token_encoder(p: Program) -> None:
    p.imports("TokenEncoder")
    good = {
        "analyzer": ["'word'"],
        "lowercase": ["True"],
        "min_count": ["2"],
        "max_tokens": ["2"],
        "unknown": ["'drop'", "'error'"],
        "mark_ends": ["True"],
    }
    bad = {"analyzer": ["'line'", "None"], "min_count": ["0", "1.5"], "max_tokens": ["0"], "unknown": ["None"]}
    p.input("X", TEXTS, BAD_TEXTS, risk=0.4)
    p.actions += [
        f"encoder = TokenEncoder({p.options(good, bad, most=3, risk=0.15)})",
        "codes = encoder.fit_transform(X)",
        "expect(list(codes), n=len(X))",
        "expect(encoder.inverse_transform(codes), n=len(X))",
    ]


# -- series ------------------------------------------------------------------------------------------------------------

TABLES = [
    "rng.normal(size=(n, 2))",
    "rng.normal(size=(n, 2)).astype(np.float32)",
    "rng.integers(0, 9, size=(n, 2))",
    "np.full((n, 2), 5.0)",
    "pd.DataFrame(rng.normal(size=(n, 2)), columns=['a', 'b'])",
    "pd.DataFrame(rng.normal(size=(n, 2)), columns=['a', 'b'], index=pd.date_range('2024', periods=n))",
    "pd.DataFrame(rng.normal(size=(n, 2)), columns=['a', 'b'], index=pd.period_range('2020', periods=n, freq='M'))",
    "pd.DataFrame(rng.normal(size=(n, 2)), columns=['a', 'b'], index=pd.bdate_range('2024', periods=n))",
    "pd.DataFrame(rng.normal(size=(n, 2)), columns=['a', 'b'], index=pd.date_range('2024', periods=n)[::-1])",
    "pd.DataFrame(rng.normal(size=(n, 2)), columns=['a', 'b'], index=[0] * n)",
    "pd.DataFrame(rng.normal(size=(n, 2)), index=pd.MultiIndex.from_product([['p', 'q'], range(n // 2)]))",
    "pl.DataFrame(rng.normal(size=(n, 2)))",
    "1e30 * rng.normal(size=(n, 2))",
    "1e160 * rng.normal(size=(n, 2))",
    "1e-200 * rng.normal(size=(n, 2))",
]
BAD_TABLES = {
    "np.full((n, 2), np.inf)": "infinity in X",
    "np.zeros((0, 2))": "no row in X",
    "np.zeros((n, 0))": "no column in X",
    "rng.normal(size=(n, 2, 2, 2))": "four axes of X",
    "np.full((n, 2), 'word')": "strings in X",
    "np.full((n, 2), np.datetime64('2024-01-01'))": "dates in X",
    "pd.DataFrame({'a': pd.date_range('2024', periods=n), 'b': pd.date_range('2025', periods=n)})": "dates in X",
    "rng.normal(size=(n, 2)) + 1j": "complex numbers in X",
    "None": "no X",
    "5.0": "a number as X",
    "{'a': [1.0] * n}": "a dict as X",
    "pd.DataFrame({'a': [pd.Series([1.0, 2.0])] * n, 'b': [pd.Series([1.0, 2.0])] * n})": "a nested frame as X",
    "torch.ones((n, 2), requires_grad=True)": "a tensor with gradient as X",
}
WITH_GAPS = [
    "np.where(rng.random((n, 2)) < 0.3, np.nan, 1.0 * np.arange(2 * n).reshape(n, 2))",
    "pd.DataFrame(rng.normal(size=(n, 2)), columns=['a', 'b']).mask(rng.random((n, 2)) < 0.3)",
    "pd.DataFrame(rng.normal(size=(n, 2)), index=pd.date_range('2024', periods=n)).mask(rng.random((n, 2)) < 0.3)",
    "np.ma.masked_array(rng.normal(size=(n, 2)), mask=rng.random((n, 2)) < 0.3)",
    "np.column_stack([rng.normal(size=n), np.full(n, np.nan)])",
    "np.where(rng.random((3, n, 2)) < 0.3, np.nan, 1.0)",
]


def imputer(p: Program) -> None:
    p.imports("RecurrentImputer")
    p.setup.append(f"n = {p.pick([2, 12, 40])}")
    p.input(
        "X", [*TABLES, *WITH_GAPS, *WITH_GAPS], BAD_TABLES | {"np.full((n, 2), np.nan)": "no value in X"}, risk=0.25
    )
    good = (
        NETWORK
        | CELL
        | CONVOLUTION
        | {
            "bidirectional": ["False"],
            "window_length": ["2", "5", "100"],
            "calendar": ["False"],
            "loss": ["'absolute_error'", "'squared_error'"],
            "min_value": ["-1", "[-1, -2]"],
            "keep_empty_features": ["True"],
            "add_indicator": ["True"],
        }
    )
    bad = (
        BAD_NETWORK
        | BAD_CELL
        | BAD_CONVOLUTION
        | {
            "window_length": ["0", "1", "'short'"],
            "loss": ["'mse'"],
            "min_value": ["'a'", "[1, 2, 3]", "np.nan"],
            "missing_values": ["'x'"],
        }
    )
    p.actions += [
        f"model = RecurrentImputer({p.options(good, bad, most=3, risk=0.15, max_epochs='1', units='2')})",
        "model.fit(X)",
        *p.pick([["expect(model.transform(X), n=len(X))"], ["expect(model.transform(X[-2:]), n=2)"]]),
    ]


def sliding_window(p: Program) -> None:
    p.imports("SlidingWindow")
    p.setup.append(f"n = {p.pick([2, 12])}")
    p.input("X", TABLES, BAD_TABLES, risk=0.3)
    good = {
        "window_length": ["1", "3", "20"],
        "stride_within": ["2"],
        "padding": ["'zero'", "'mean'"],
        "context": ["'none'"],
        "flatten": ["True"],
        "horizon": ["None", "3", "[2, 5]"],
    }
    bad = {
        "calendar": ["'day'", "['hour']"],
        "horizon": ["0", "[]", "'a'"],
        "window_length": ["0", "2.5", "'a'", "None"],
        "stride_within": ["0"],
        "padding": ["'wrap'", "None"],
        "context": ["True"],
        "time_column": ["'missing'", "99"],
        "groups": ["'missing'", "99"],
    }
    p.actions += [
        f"window = SlidingWindow({p.options(good, bad, most=3, risk=0.2)})",
        "window.fit(X)",
        p.pick(
            [
                "expect(window.transform(X), n=len(X))",
                "expect(window.transform(X[-1:]), n=1)",
                "expect(window.count_filled(X), (n,))",
            ]
        ),
    ]


def scaler(p: Program) -> None:
    p.imports("SequenceScaler")
    p.setup += ["from sklearn.preprocessing import MinMaxScaler, RobustScaler", "n = 10"]
    bad = {code: reason for code, reason in BAD_SEQUENCES.items() if "than in y" not in reason}
    p.input("X", [code for code in SEQUENCES if "1e308" not in code], bad, risk=0.3)
    options = {"scaler": ["MinMaxScaler()", "RobustScaler()", "None"]}
    wrong = {"scaler": ["5", "'standard'", "MinMaxScaler"]}
    p.actions += [
        f"model = SequenceScaler({p.options(options, wrong, most=1, risk=0.15)})",
        "scaled = model.fit_transform(X)",
        "expect(scaled if isinstance(scaled, list) else list(scaled), n=n)",
        "expect(list(model.inverse_transform(scaled)), n=n)",
    ]


def supervise(p: Program) -> None:
    function = p.pick(["supervise", "make_windows"])
    p.imports(function)
    p.setup.append("n = 12")
    # Cells are cut as they are, whatever they hold.
    whole = ("no row in X", "no column in X", "four axes of X", "no X", "a number as X", "a dict as X")
    p.input("data", TABLES, {code: reason for code, reason in BAD_TABLES.items() if reason in whole}, risk=0.3)
    if function == "supervise":
        good = {"horizon": ["2", "[1, 3]", "5"], "dropna": ["True"], "steps": ["'rows'"]}
        bad = {"horizon": ["0", "'a'", "[]", "1.5", "99"], "steps": ["'days'"], "groups": ["'missing'"]}
        first = "data, target=data.columns[0] if hasattr(data, 'columns') else 0"
        options = p.options(good, bad, most=2, risk=0.2, horizon="1")
    else:
        good = {"horizon": ["2"], "stride": ["2", "5"], "offset": ["2"], "stride_within": ["2"]}
        bad = {
            "horizon": ["0"],
            "stride": ["0"],
            "offset": ["0"],
            "window_length": ["0", "99", "2.5"],
            "groups": ["'no'"],
        }
        first = "data"
        options = p.options(good, bad, most=2, risk=0.2, window_length="3")
    p.actions += [
        f"X, y = {function}({first}, {options})",
        "assert len(X)",
        "expect(X, n=len(y))",
        "expect(y, n=len(X))",
    ]


def splitter(p: Program) -> None:
    name = p.pick(["PurgedKFold", "PurgedTimeSeriesSplit"])
    p.imports(name, "check_no_leakage")
    p.setup.append(f"n = {p.pick([4, 30])}")
    bad_tables = {code: reason for code, reason in BAD_TABLES.items() if reason in ("no X", "a number as X")}
    p.input("X", TABLES, bad_tables, risk=0.1)
    good = {"n_splits": ["2", "3"], "horizon": ["2"], "window_length": ["3"], "embargo": ["1"], "stride_within": ["2"]}
    bad = {"n_splits": ["0", "1.5", "'a'", "999"], "horizon": ["0", "None"], "embargo": ["-1"], "window_length": ["0"]}
    options = p.options(good, bad, most=3, risk=0.2)
    p.actions += [
        f"cv = {name}({options})",
        "folds = list(cv.split(X))",
        "assert len(folds) == cv.get_n_splits(X)",
        "assert all(len(train) and len(test) and not {*train} & {*test} for train, test in folds)",
        "check_no_leakage(cv, X, window_length=cv.window_length, horizon=cv.horizon, stride_within=cv.stride_within)",
    ]


# -- sktime ------------------------------------------------------------------------------------------------------------

SERIES = [
    "pd.Series(rng.normal(size=n))",
    "pd.Series(np.arange(n) * 1.0, index=pd.period_range('2020', periods=n, freq='M'))",
    "pd.Series(rng.normal(size=n), index=pd.date_range('2024', periods=n))",
    "pd.Series(rng.normal(size=n), index=pd.date_range('2024', periods=n, freq='W'))",
    "pd.Series(rng.normal(size=n), index=pd.date_range('2024', periods=n, freq='h'))",
    "pd.Series(rng.normal(size=n), index=pd.bdate_range('2024', periods=n))",
    "pd.Series(np.full(n, 3.0))",
    "pd.Series(rng.integers(0, 9, size=n))",
    "pd.Series(rng.normal(size=n)).mask(rng.random(n) < 0.3)",
    "pd.DataFrame(rng.normal(size=(n, 2)), columns=['a', 'b'])",
    "rng.normal(size=n)",
    "pd.DataFrame({'y': rng.normal(size=n)}, index=pd.MultiIndex.from_product([['p', 'q'], range(n // 2)]))",
    "pd.Series(1e30 * rng.normal(size=n))",
    "pd.Series(1e200 * rng.normal(size=n))",
    "pd.Series(1e-200 * rng.normal(size=n))",
    "pd.Series(1e12 + rng.normal(size=n))",
]
BAD_SERIES = {
    "pd.Series(np.full(n, np.inf))": "infinity in y",
    "pd.Series(np.full(n, np.nan))": "no value in y",
    "pd.Series([], dtype=float)": "no row in y",
    "pd.Series(['a'] * n)": "strings in y",
    "pd.Series(pd.date_range('2024', periods=n))": "dates in y",
    "pd.Series(rng.normal(size=n), index=list('ab') * (n // 2))": "strings as times",
    "5.0": "a number as y",
    "'series'": "a string as y",
    "pd.DataFrame({'unique_id': 'p', 'ds': pd.date_range('2024', periods=n), 'y': rng.normal(size=n)})": "a long frame",
}


def forecaster(p: Program) -> None:
    name = p.pick(NAMED) + "Forecaster"
    p.imports(name, package="sklrnn.forecasting")
    p.setup.append(f"n = {p.pick([2, 20, 20, 30])}")
    p.input("y", SERIES, BAD_SERIES, risk=0.2)
    good = (
        NETWORK
        | CONVOLUTION
        | {
            "bidirectional": ["True"],
            "window_length": ["1", "5", "500"],
            "strategy": ["'recursive'"],
            "normalize": ["'series'", "None"],
            "sp": ["1", "4", "100"],
            "fold": ["1", "2"],
            "n_networks": ["2"],
            "loss": ["'squared_error'", "'huber'", "'quantile'", "'gaussian'"],
        }
    )
    bad = (
        BAD_NETWORK
        | BAD_CONVOLUTION
        | {
            "window_length": ["0", "'long'", "None"],
            "strategy": ["'both'"],
            "normalize": ["'minmax'", "True"],
            "sp": ["0", "'yearly'"],
            "n_networks": ["0"],
            "loss": ["'mse'", "torch.nn.MSELoss"],
            "quantiles": ["(0.9, 0.1)"],
        }
    )
    if name.startswith("Recurrent"):
        good, bad = good | CELL, bad | BAD_CELL
    good_fh, bad_fh = ["1", "[1, 2]", "range(1, 5)", "[3]", "np.array([1, 2])"], ["[]", "'a'", "[1.5]", "[1, 1]"]
    fh = p.pick(good_fh)
    if p.chance(0.1):
        fh = p.pick(bad_fh)
        p.refused.append(f"fh={fh}")
    p.actions += [
        f"model = {name}({p.options(good, bad, most=3, risk=0.12, max_epochs='1', units='2')})",
        f"model.fit(y, fh={fh})",
        p.pick(
            [
                "expect(model.predict())",
                "expect(model.predict())",
                "expect(model.predict_interval(coverage=[0.5, 0.9]))",
                "expect(model.predict_quantiles(alpha=[0.1, 0.5]))",
                "expect(model.update(y).predict())",
                "import pickle; expect_equal(pickle.loads(pickle.dumps(model)).predict(), model.predict())",
            ]
        ),
    ]


def sktime_adapter(p: Program) -> None:
    kind = p.pick(["Classifier", "Regressor"])
    p.imports(f"Sktime{kind}", package="sklrnn.sktime_adapters")
    p.setup += [f"from sklrnn import GRU{kind}", "n = 10"]
    p.input(
        "X",
        ["rng.normal(size=(n, 2, 5))", "rng.normal(size=(n, 1, 5))"],
        {"None": "no X", "np.zeros(n)": "one axis"},
        risk=0.2,
    )
    p.input(
        "y", ["rng.integers(0, 2, size=n)"], {"None": "no y", "np.zeros(n - 1)": "fewer targets than samples"}, risk=0.2
    )
    inner = p.pick([f"GRU{kind}(max_epochs=1)", f"GRU{kind}(max_epochs=1, units=3)"])
    if p.chance(0.2):
        inner = p.pick(["5", f"GRU{kind}", "'gru'"])
        p.refused.append(f"estimator={inner}")
    p.actions += [f"model = Sktime{kind}({inner})", "model.fit(X, y)", "expect(model.predict(X), (n,))"]


# How often a program of each kind is drawn.
PROGRAMS: dict[Callable[[Program], None], int] = {
    regressor: 8,
    classifier: 8,
    step_labels: 3,
    tokens: 3,
    generator: 4,
    translator: 4,
    token_encoder: 3,
    imputer: 4,
    sliding_window: 3,
    scaler: 3,
    supervise: 3,
    splitter: 2,
    forecaster: 5,
    sktime_adapter: 1,
}


def draw(seed: int, number: int) -> Program:
    """The program of a try."""
    rng = np.random.default_rng([seed, number])
    share = np.array(list(PROGRAMS.values())) / sum(PROGRAMS.values())
    program = Program(rng)
    list(PROGRAMS)[rng.choice(len(PROGRAMS), p=share)](program)
    return program
