"""Small fits of the generator, the translator and the imputer: every option of each."""

import numpy as np
import pandas as pd
from skorch.callbacks import LRScheduler
from torch import nn

from sklrnn import RecurrentImputer, SequenceGenerator, SequenceTranslator
from sklrnn.cells import StepwiseCell

RNG = np.random.default_rng(7)


class LeakyCell(StepwiseCell):
    """A cell of one's own, made from the equation of one step."""

    gates = ("candidate",)

    def step(self, inputs, seen, recurrent, state):
        return 0.7 * state + 0.3 * (inputs + seen @ recurrent).tanh()


CELLS = {
    "simple_rnn": {"cell": "simple_rnn"},
    "relu_rnn": {"cell": "simple_rnn", "activation": "relu"},
    "gru": {"cell": "gru"},
    "textbook_gru": {"cell": "gru", "reset_after": False},
    "minimal_gru": {"cell": "minimal_gru"},
    "slstm": {"cell": "slstm"},
    "lstm": {"cell": "lstm", "forget_bias": 0.5},
    "peephole_lstm": {"cell": "lstm", "peephole": True},
    "own stepwise cell": {"cell": LeakyCell},
    "torch.nn.LSTM": {"cell": nn.LSTM},
}

# What changes a network or its training, whatever the task.
SHARED = {
    "units": {"units": (5, 4)},
    "dropout": {"units": (5, 4), "dropout": 0.3},
    "recurrent_dropout": {"recurrent_dropout": 0.3},
    "residual": {"units": (5, 5), "residual": True},
    "l1": {"l1": 0.01},
    "l2": {"l2": 0.01},
    "optimizer sgd": {"optimizer": "sgd", "learning_rate": 0.1},
    "optimizer nadam": {"optimizer": "nadam"},
    "optimizer rmsprop": {"optimizer": "rmsprop"},
    "max_grad_norm": {"max_grad_norm": None},
    "batch_size": {"batch_size": 3},
    "n_jobs": {"n_jobs": 1},
}


def curves(model):
    shown = {"loss_curve": model.loss_curve_}
    if model.validation_curve_ is not None:
        shown["validation_curve"] = model.validation_curve_
    return shown


# -- generator ---------------------------------------------------------------------------------------------------------

NAMES = ["anna", "Bert", "carla", "dan", "Ella", "fred", "gina", "Hans", "ida", "jon", "karla", "leo"]
ABOUT = np.array([[name[-1] in "aeiou", len(name)] for name in NAMES], dtype=float)
VERSE = "the cat sat on the mat and the dog sat on the log while the cat saw the dog "
SENTENCES = ["the cat sat", "the dog ran, too", "a cat ran", "the dog sat", "a dog saw the cat"]
MELODIES = [RNG.integers(60, 66, size=n) for n in (5, 8, 3, 6, 7)]


def generated(texts, prompt="", context=None, **options):
    """Fit, score texts, and write some."""

    def show(model):
        model.fit(texts, context=context)
        about = {} if context is None else {"context": context[0]}
        return curves(model) | {
            "score": [model.score(texts[:4], context=None if context is None else context[:4])],
            "text": [model.generate(prompt, length=12, random_state=seed, **about, **options) for seed in range(3)],
            "stream": list(model.stream(prompt, length=8, temperature=0.7, random_state=5, **about)),
        }

    return show


of_names, of_verse = generated(NAMES), generated([VERSE * 3], prompt="the ")
WITH_CALLBACKS = {"callbacks": [LRScheduler("StepLR", step_size=1, gamma=0.5)]}
OF_GENERATORS = {
    "callbacks": (of_names, WITH_CALLBACKS),
    "separate texts": (of_names, {}),
    "one long text": (of_verse, {}),
    "context": (generated(NAMES, context=ABOUT), {}),
    "context, one long text, lstm": (generated([VERSE], context=ABOUT[:1]), {"cell": "lstm"}),
    "prompt, top_k": (generated(NAMES, prompt="a", top_k=3, temperature=0.8), {}),
    "integers": (generated(MELODIES, prompt=[61]), {}),
    "words": (generated(SENTENCES), {"analyzer": "word"}),
    "lowercase": (of_names, {"lowercase": True}),
    "min_count": (of_names, {"min_count": 3}),
    "max_tokens": (of_names, {"max_tokens": 6}),
    "embedding_dim": (of_names, {"embedding_dim": 4}),
    "segment_length": (of_names, {"segment_length": 3}),
    "one_cycle": (of_names, {"schedule": "one_cycle"}),
    "shuffle": (of_names, {"shuffle": False}),
    "early_stopping": (of_names, {"early_stopping": True, "validation_fraction": 0.3}),
    "early_stopping, one long text": (of_verse, {"early_stopping": True, "validation_fraction": 0.2}),
    "patience": (of_names, {"n_iter_no_change": 1, "tol": 0.5, "max_epochs": 5}),
}
TINY_GENERATOR = {"units": 6, "segment_length": 8, "batch_size": 5, "max_epochs": 3, "random_state": 0}

# -- translator --------------------------------------------------------------------------------------------------------

WORDS = ["cat", "dog", "mouse", "Elk", "wolverine", "ant", "bee", "hen", "cow", "fish"]
BACK = [word[::-1].lower() for word in WORDS]
SPOKEN = [" ".join(word) for word in WORDS]
NUMBERS = [RNG.normal(size=(n, 2)) for n in RNG.integers(1, 6, size=14)]
EVERY_SECOND = [3 + 2 * x[::2, 0] for x in NUMBERS]
SHARES = RNG.uniform(0.2, 2.0, size=10)


def translated(X, y, sample_weight=None, n_best=0):
    """Fit, and answer some of X."""

    def show(model):
        model.fit(X, y, sample_weight=sample_weight)
        shown = curves(model) | {"answers": model.predict(X[:6])}
        if n_best:
            best = model.predict_n_best(X[:4], n_best=n_best)
            shown["best"] = [text for answers in best for text, _ in answers]
            shown["likelihood"] = [likelihood for answers in best for _, likelihood in answers]
        if model.get_params()["attention"]:
            shown["attention"] = model.attention_weights(X[:3])
        return shown

    return show


def translated_further(model):
    first = translated(WORDS, BACK, n_best=2)(model)
    return {"first": first, "second": translated(WORDS, BACK, n_best=2)(model.set_params(teacher_forcing=0.7))}


of_tokens, of_numbers = translated(WORDS, BACK, n_best=2), translated(NUMBERS, EVERY_SECOND)
OF_TRANSLATORS = {
    "callbacks": (of_tokens, WITH_CALLBACKS),
    "tokens": (of_tokens, {}),
    "tokens, attention": (of_tokens, {"attention": True}),
    "tokens, attention, bidirectional, layers": (
        of_tokens,
        {"attention": True, "bidirectional": True, "units": (5, 4)},
    ),
    "tokens, teacher_forcing": (of_tokens, {"teacher_forcing": 0.5}),
    "numbers": (of_numbers, {}),
    "numbers, attention": (of_numbers, {"attention": True}),
    "numbers, teacher_forcing": (of_numbers, {"teacher_forcing": 0.5}),
    "numbers, one length": (translated(np.stack([x[[0, -1]] for x in NUMBERS]), [x[-1, :1] for x in NUMBERS]), {}),
    "tokens to numbers": (translated(WORDS, [np.arange(len(w)) / 3 for w in WORDS]), {"teacher_forcing": 0.0}),
    "numbers to tokens": (translated(NUMBERS, ["ab" * len(x) for x in NUMBERS], n_best=2), {"attention": True}),
    "integers": (translated([[1, 2, 3], [2, 4], [5, 1, 1]] * 3, [[3, 2, 1], [4, 2], [1, 1, 5]] * 3, n_best=2), {}),
    "beam_size": (of_tokens, {"beam_size": 3}),
    "max_length": (of_tokens, {"max_length": 2}),
    "words": (translated(SPOKEN, BACK, n_best=2), {"analyzer": "word"}),
    "lowercase": (of_tokens, {"lowercase": True}),
    "min_count": (of_tokens, {"min_count": 2}),
    "max_tokens": (of_tokens, {"max_tokens": 8, "unknown": "drop"}),
    "embedding_dim": (of_tokens, {"embedding_dim": 4}),
    "bidirectional": (of_tokens, {"bidirectional": True}),
    "normalize": (of_numbers, {"normalize_X": False, "normalize_y": False}),
    "constant rate": (of_tokens, {"schedule": "constant"}),
    "max_epochs auto": (of_tokens, {"max_epochs": "auto", "schedule": "constant", "n_iter_no_change": 1, "tol": 0.5}),
    "shuffle": (of_tokens, {"shuffle": False}),
    "early_stopping": (of_tokens, {"early_stopping": True, "validation_fraction": 0.3}),
    "sample_weight": (translated(WORDS, BACK, sample_weight=SHARES, n_best=2), {}),
    "warm_start": (translated_further, {"warm_start": True}),
}
TINY_TRANSLATOR = {"units": 6, "embedding_dim": 5, "batch_size": 4, "max_epochs": 3, "random_state": 0}

# -- imputer -----------------------------------------------------------------------------------------------------------

STEPS = np.arange(90)
TABLE = np.column_stack([np.sin(STEPS / 4), np.cos(STEPS / 6) + 0.1 * RNG.normal(size=90), STEPS / 50])
for column, start, length in [(0, 10, 5), (1, 30, 8), (2, 31, 3), (0, 60, 2), (1, 0, 3), (2, 86, 4)]:
    TABLE[start : start + length, column] = np.nan
HOURLY = pd.DataFrame(TABLE, pd.date_range("2024-01-01", periods=90, freq="h"), list("abc"))
PANEL = pd.concat({"x": HOURLY[:50], "y": HOURLY[50:]}, names=["series", "time"])
EMPTY = np.column_stack([TABLE, np.full(90, np.nan)])


def filled(X, **fit_options):
    """Fit, and give what was filled in."""

    def show(model):
        result = model.fit_transform(X, **fit_options)
        values = result if isinstance(result, list) else np.asarray(result)
        if isinstance(values, np.ndarray) and values.shape == np.shape(X):
            values = values[np.isnan(np.asarray(X, dtype=float))]
        return curves(model) | {"filled": values}

    return show


of_table = filled(TABLE)
OF_IMPUTERS = {
    "callbacks": (of_table, WITH_CALLBACKS),
    "both sides": (of_table, {}),
    "looking back": (of_table, {"bidirectional": False}),
    "dates": (filled(HOURLY), {}),
    "calendar": (filled(HOURLY), {"calendar": False}),
    "panel": (filled(PANEL), {}),
    "panel, looking back": (filled(PANEL), {"bidirectional": False}),
    "list": (filled([TABLE[:50], TABLE[50:]]), {}),
    "samples": (filled(TABLE.reshape(3, 30, 3)), {}),
    "float32": (filled(TABLE.astype(np.float32)), {}),
    "window_length": (of_table, {"window_length": 12}),
    "filters": (of_table, {"filters": (4, 3), "kernel_size": 2}),
    "filters, looking back": (of_table, {"filters": 4, "bidirectional": False}),
    "loss absolute_error": (of_table, {"loss": "absolute_error"}),
    "loss squared_error": (of_table, {"loss": "squared_error"}),
    "max_epochs auto": (of_table, {"max_epochs": "auto", "schedule": "constant", "n_iter_no_change": 1, "tol": 0.5}),
    "constant rate": (of_table, {"schedule": "constant"}),
    "early_stopping": (of_table, {"early_stopping": True, "validation_fraction": 0.3, "schedule": "constant"}),
    "missing_values": (filled(np.nan_to_num(TABLE, nan=-9.0)), {"missing_values": -9.0}),
    "bounds": (of_table, {"min_value": [-0.5, -0.5, 0.4], "max_value": 0.9}),
    "keep_empty_features": (filled(EMPTY), {"keep_empty_features": True}),
    "add_indicator": (filled(TABLE[:40]), {"add_indicator": True}),
}
TINY_IMPUTER = {"units": 5, "window_length": 20, "max_epochs": 3, "batch_size": 4, "random_state": 0}

CASES = {}
for kind, tiny, example, own in [
    (SequenceGenerator, TINY_GENERATOR, of_names, OF_GENERATORS),
    (SequenceTranslator, TINY_TRANSLATOR, of_tokens, OF_TRANSLATORS),
    (RecurrentImputer, TINY_IMPUTER, of_table, OF_IMPUTERS),
]:
    for name, options in (CELLS | SHARED).items():
        CASES[f"{kind.__name__}, {name}"] = (kind, example, tiny | options)
    for name, (show, options) in own.items():
        CASES[f"{kind.__name__}, {name}"] = (kind, show, tiny | options)
for name in ("one long text", "context"):
    show, _ = OF_GENERATORS[name]
    for cell in ("lstm", "own stepwise cell"):
        CASES[f"SequenceGenerator, {name}, {cell}"] = (SequenceGenerator, show, TINY_GENERATOR | CELLS[cell])
for name in ("numbers", "tokens, attention"):
    show, options = OF_TRANSLATORS[name]
    for cell in ("lstm", "simple_rnn", "own stepwise cell"):
        CASES[f"SequenceTranslator, {name}, {cell}"] = (
            SequenceTranslator,
            show,
            TINY_TRANSLATOR | options | CELLS[cell],
        )
