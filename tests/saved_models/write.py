"""Small fitted models as files that every later release must load: a folder for each release, named after it.

``python tests/saved_models/write.py`` fits the models below and writes them, with inputs and answers, to the folder of
the installed version. It refuses where that folder exists: what a release saved stays as it is. Until the release is
out, ``--again`` replaces its folder. ``tests/test_saved_models.py`` loads all that is there.

``answers.json`` holds the version of numpy, and of each model its kind, inputs and answers. So models can be changed
and added here, and those of an earlier release are still asked what they were asked then.
"""

import argparse
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
import pandas as pd
import skops.io
from sklearn.pipeline import make_pipeline

import sklrnn
import sklrnn.forecasting
import sklrnn.sktime_adapters

HERE = Path(__file__).parent
TINY = {"units": 2, "max_epochs": 2, "random_state": 0}
FEW_FILTERS = {"filters": 2, "kernel_size": 2}
# A forecaster has three networks unless told otherwise; in a file of skops each takes as much as everything else.
ONE_NETWORK = TINY | {"n_networks": 1}
Inputs = dict[str, Any]


# -- inputs, as JSON holds them ----------------------------------------------------------------------------------------


def wave(n: int, speed: float, slope: float = 0.0) -> list[float]:
    return [round(float(np.sin(speed * step)) + slope * step, 3) for step in range(n)]


SEQUENCES = [[[a, b] for a, b in zip(wave(4, row + 1), wave(4, row + 1.5), strict=True)] for row in range(24)]
SUMS = [round(sum(map(sum, row)), 3) for row in SEQUENCES]
LABELS = ["up" if value > 0 else "down" for value in SUMS]
TABLE = {"load": wave(60, 0.3, slope=0.02), "heat": wave(60, 0.7)}
GAPS = {name: [None if day % 9 == 4 else value for day, value in enumerate(TABLE[name])] for name in TABLE}
WORDS = ["cat", "dog", "elk", "ant", "bee", "cow"]
TAGS = [["vowel" if letter in "aeo" else "consonant" for letter in word] for word in WORDS]


def daily(columns: dict[str, list[Any]], first_day: str = "2024-01-01") -> pd.DataFrame:
    n_days = len(next(iter(columns.values())))
    return pd.DataFrame(columns, index=pd.date_range(first_day, periods=n_days, freq="D"), dtype=float)


# -- what a kind of model is asked, and how it trains on ---------------------------------------------------------------


def partial_fit(model: Any, inputs: Inputs) -> Any:
    return model.partial_fit(np.array(inputs["X"]), np.array(inputs["y"]))


def update(model: Any, inputs: Inputs) -> Any:
    return model.update(daily(inputs["later"], inputs["first_later_day"]))


def fit_again(model: Any, inputs: Inputs) -> Any:
    return model.set_params(warm_start=True).fit(inputs["texts"], inputs["targets"])


def classify(model: Any, inputs: Inputs) -> dict[str, Any]:
    X = np.array(inputs["X"])
    return {"labels": model.predict(X), "probabilities": model.predict_proba(X)}


def forecast(model: Any, inputs: Inputs) -> dict[str, Any]:
    return {"points": model.predict(fh=inputs["fh"]), "interval": model.predict_interval(fh=inputs["fh"])}


def predict(model: Any, inputs: Inputs) -> dict[str, Any]:
    return {"predictions": model.predict(np.array(inputs["X"]))}


def predict_interval(model: Any, inputs: Inputs) -> dict[str, Any]:
    return {**predict(model, inputs), "interval": model.predict_interval(np.array(inputs["X"]), coverage=0.8)}


KINDS: dict[str, tuple[Callable[[Any, Inputs], dict[str, Any]], Callable[[Any, Inputs], Any] | None]] = {
    "regressor": (predict, partial_fit),
    "regressor with intervals": (predict_interval, None),
    "classifier": (classify, partial_fit),
    "regressor behind sktime": (predict, None),
    "classifier behind sktime": (classify, None),
    "pipeline of windows": (lambda model, inputs: {"predictions": model.predict(daily(inputs["table"]))}, None),
    "pipeline of tokens": (lambda model, inputs: {"tags": np.concatenate(model.predict(inputs["texts"]))}, None),
    "forecaster": (forecast, update),
    "forecaster of a panel": (forecast, None),
    "generator": (lambda model, inputs: {"score": np.array(model.score(inputs["texts"]))}, None),
    "translator": (lambda model, inputs: {"targets": np.array(model.predict(inputs["texts"]))}, fit_again),
    "imputer": (lambda model, inputs: {"table": model.transform(daily(inputs["table"]))}, None),
}


# -- the models --------------------------------------------------------------------------------------------------------


class Saved(NamedTuple):
    model: Any
    kind: str
    inputs: Inputs


def models() -> dict[str, Saved]:
    """A fitted model of every kind, by the name of its files."""
    X, X_of_sktime = np.array(SEQUENCES), np.array(SEQUENCES).transpose(0, 2, 1)
    table, words = daily(TABLE), {"texts": WORDS}
    made = {}
    for name in sklrnn.__all__:
        options = TINY | FEW_FILTERS if name.startswith("CNN") else TINY
        if name.endswith("Regressor"):
            fitted = getattr(sklrnn, name)(**options).fit(X, SUMS)
            made[name] = Saved(fitted, "regressor", {"X": SEQUENCES, "y": SUMS})
        elif name.endswith("Classifier"):
            fitted = getattr(sklrnn, name)(**options).fit(X, LABELS)
            made[name] = Saved(fitted, "classifier", {"X": SEQUENCES, "y": LABELS})
    fitted = sklrnn.GRURegressor(**TINY, early_stopping=True).fit(X, SUMS)
    made["regressor_with_intervals"] = Saved(fitted, "regressor with intervals", {"X": SEQUENCES})
    later = {"fh": [1, 2, 3], "later": {"load": wave(5, 0.3, slope=0.3)}, "first_later_day": "2024-03-01"}
    for name in sklrnn.forecasting.__all__:
        if name.endswith("Forecaster"):
            options = TINY if name == "GRUForecaster" else ONE_NETWORK
            forecaster = getattr(sklrnn.forecasting, name)(**options, **(FEW_FILTERS if name.startswith("CNN") else {}))
            made[name] = Saved(forecaster.fit(table[["load"]], fh=later["fh"]), "forecaster", later)
    panel = pd.concat({"north": table[["load"]], "south": table[["load"]] + 1}, names=["place", "day"])
    fitted = sklrnn.forecasting.GRUForecaster(**ONE_NETWORK).fit(panel, fh=later["fh"])
    made["forecaster_of_a_panel"] = Saved(fitted, "forecaster of a panel", {"fh": later["fh"]})
    made["SequenceGenerator"] = Saved(sklrnn.SequenceGenerator(**TINY).fit(WORDS), "generator", words)
    backwards = {"texts": WORDS, "targets": [word[::-1] for word in WORDS]}
    fitted = sklrnn.SequenceTranslator(**TINY).fit(WORDS, backwards["targets"])
    made["SequenceTranslator"] = Saved(fitted, "translator", backwards)
    made["RecurrentImputer"] = Saved(sklrnn.RecurrentImputer(**TINY).fit(daily(GAPS)), "imputer", {"table": GAPS})
    fitted = make_pipeline(
        sklrnn.SlidingWindow(window_length=5, horizon=2, calendar=["week"]),
        sklrnn.SequenceScaler(),
        sklrnn.LSTMRegressor(**TINY),
    ).fit(table, table["load"])
    made["pipeline_of_windows"] = Saved(fitted, "pipeline of windows", {"table": TABLE})
    tagger = sklrnn.GRUClassifier(**TINY, embedding_dim=2, return_sequences=True)
    fitted = make_pipeline(sklrnn.TokenEncoder(), tagger).fit(WORDS, TAGS)
    made["pipeline_of_tokens"] = Saved(fitted, "pipeline of tokens", words)
    given = {"X": X_of_sktime.tolist()}
    fitted = sklrnn.sktime_adapters.SktimeRegressor(sklrnn.GRURegressor(**TINY)).fit(X_of_sktime, np.array(SUMS))
    made["SktimeRegressor"] = Saved(fitted, "regressor behind sktime", given)
    fitted = sklrnn.sktime_adapters.SktimeClassifier(sklrnn.GRUClassifier(**TINY)).fit(X_of_sktime, np.array(LABELS))
    made["SktimeClassifier"] = Saved(fitted, "classifier behind sktime", given)
    return made


# -- files -------------------------------------------------------------------------------------------------------------


def as_lists(answer: Any) -> list[Any]:
    """An answer as JSON holds it."""
    values = np.asarray(answer)
    return (values if values.dtype.kind in "OU" else np.vectorize(lambda x: float(f"{x:.9g}"))(values)).tolist()


def write(folder: Path) -> None:
    folder.mkdir()
    stored = {}
    for name, (model, kind, inputs) in models().items():
        ask, _ = KINDS[kind]
        skops.io.dump(model, folder / f"{name}.skops", compression=zipfile.ZIP_DEFLATED)
        joblib.dump(model, folder / f"{name}.joblib", compress=("zlib", 9))
        answers = {what: as_lists(answer) for what, answer in ask(model, inputs).items()}
        stored[name] = {"kind": kind, "inputs": inputs, "answers": answers}
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(what)}" for name, what in stored.items())
    text = f'{{"numpy": "{np.__version__}",\n"models": {{\n{lines}\n}}}}\n'
    (folder / "answers.json").write_text(text, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--again", action="store_true", help="replace the folder of a version that is not out yet")
    folder = HERE / sklrnn.__version__
    if parser.parse_args().again:
        shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        parser.error(f"{folder} exists. If sklrnn {folder.name} is out, raise the version first; else pass --again.")
    write(folder)


if __name__ == "__main__":
    main()
