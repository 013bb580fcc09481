"""What is saved: the version, names that are checked when it is loaded, and plain values for skops.

``python tests/test_saved_state.py`` stores the names of today in ``saved_names.json``.
"""

import copy
import importlib
import inspect
import json
import pickle
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io
from numpy.testing import assert_array_equal
from pandas.testing import assert_frame_equal
from skorch.callbacks import Callback

import sklrnn
import sklrnn.forecasting
import sklrnn.sktime_adapters
from sklrnn import saved_state
from sklrnn.forecasting import compare
from sklrnn.forecasting.plain_values import from_plain, to_plain

NAMES = Path(__file__).with_name("saved_names.json")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 5, 2))
Y = X.sum(axis=(1, 2))
LABELS = np.where(Y > 0, "up", "down")
WORDS = ["cat", "dog", "elk", "ant", "bee", "cow"]
TABLE = pd.DataFrame({"a": np.sin(np.arange(80.0)), "b": RNG.normal(size=80)}, index=pd.date_range("2020", periods=80))
GAPS = TABLE.mask(TABLE > 0.9)
SALES = pd.Series(RNG.normal(size=60).cumsum(), index=pd.period_range("2010-01", periods=60, freq="M"), name="sales")
PANEL = pd.concat({"x": TABLE, "y": TABLE + 1}, names=["series", "time"])
TINY = {"units": 2, "max_epochs": 1, "random_state": 0}


def answer(model):
    """All that a fitted object gives, in one array or frame."""
    name = type(model).__name__
    if name.endswith(("Regressor", "Classifier")):
        return model.predict(X.transpose(0, 2, 1) if name.startswith("Sktime") else X)
    if name.endswith("Forecaster"):
        return pd.concat([model.predict(fh=[1, 2]), model.predict_interval(fh=[1, 2])], axis=1)
    if name == "Comparison":
        return model.forecasts
    if name == "EstimatorComparison":
        return model.results
    return {
        "SequenceGenerator": lambda: model.score(WORDS),
        "SequenceTranslator": lambda: np.array(model.predict(WORDS)),
        "RecurrentImputer": lambda: model.transform(GAPS),
        "SequenceScaler": lambda: model.transform(X),
        "SlidingWindow": lambda: model.transform(TABLE),
        "TokenEncoder": lambda: np.concatenate(model.transform(WORDS)),
        "Checkpoints": lambda: np.array([model.folder, model.every_epochs, model.every_minutes]),
        "PurgedKFold": lambda: np.concatenate([test for _, test in model.split(X)]),
        "PurgedTimeSeriesSplit": lambda: np.concatenate([test for _, test in model.split(X)]),
    }[name]()


@cache
def fitted():
    """Every public class, fitted."""
    objects = {}
    for name in sklrnn.__all__:
        kind = getattr(sklrnn, name)
        if name.endswith("Regressor"):
            objects[name] = kind(**TINY, early_stopping=True).fit(X, Y)
        elif name.endswith("Classifier"):
            objects[name] = kind(**TINY).fit(X, LABELS)
    objects["SequenceGenerator"] = sklrnn.SequenceGenerator(**TINY).fit(WORDS)
    objects["SequenceTranslator"] = sklrnn.SequenceTranslator(**TINY).fit(WORDS, WORDS[::-1])
    objects["RecurrentImputer"] = sklrnn.RecurrentImputer(**TINY).fit(GAPS)
    objects["SequenceScaler"] = sklrnn.SequenceScaler().fit(X)
    objects["SlidingWindow"] = sklrnn.SlidingWindow(window_length=3).fit(TABLE)
    objects["TokenEncoder"] = sklrnn.TokenEncoder().fit(WORDS)
    objects["Checkpoints"] = sklrnn.Checkpoints("folder", every_epochs=5)
    objects["PurgedKFold"] = sklrnn.PurgedKFold(window_length=3)
    objects["PurgedTimeSeriesSplit"] = sklrnn.PurgedTimeSeriesSplit(window_length=3)
    for name in sklrnn.forecasting.__all__:
        if name.endswith("Forecaster"):
            objects[name] = getattr(sklrnn.forecasting, name)(**TINY).fit(SALES)
    objects["Comparison"] = compare({"gru": sklrnn.forecasting.GRUForecaster(**TINY)}, SALES, horizon=2, n_splits=1)
    objects["EstimatorComparison"] = sklrnn.compare_estimators([sklrnn.GRURegressor(**TINY)], X, Y, cv=2)
    panel = X.transpose(0, 2, 1)
    objects["SktimeRegressor"] = sklrnn.sktime_adapters.SktimeRegressor(sklrnn.GRURegressor(**TINY)).fit(panel, Y)
    classifier = sklrnn.sktime_adapters.SktimeClassifier(sklrnn.GRUClassifier(**TINY))
    objects["SktimeClassifier"] = classifier.fit(panel, LABELS)
    return objects


CLASSES = [
    name
    for package in (sklrnn, sklrnn.forecasting, sklrnn.sktime_adapters)
    for name in package.__all__
    if isinstance(getattr(package, name), type) and not issubclass(getattr(package, name), Exception)
]
every_class = pytest.mark.parametrize("name", CLASSES)
# What is saved with a version; the others hold such an object, or settings only.
STAMPED = [name for name in CLASSES if not name.startswith(("Sktime", "Purged", "Comparison", "EstimatorComparison"))]
every_stamped_class = pytest.mark.parametrize("name", STAMPED)


def same(one, other):
    if isinstance(one, pd.DataFrame):
        assert_frame_equal(one, other, check_exact=True)
    else:
        assert_array_equal(one, other)


def load(state, name):
    kind = type(fitted()[name])
    kind.__setstate__(kind.__new__(kind), state)


# -- skops -----------------------------------------------------------------------------------------------------------


@every_class
def test_skops_gives_back_every_public_object(name):
    model = fitted()[name]
    loaded = skops.io.loads(skops.io.dumps(model), trusted=sklrnn.trusted_types())
    assert type(loaded) is type(model)
    same(answer(loaded), answer(model))


def test_a_loaded_window_knows_the_calendar():
    model = sklrnn.SlidingWindow(window_length=3, calendar=["week"], horizon=[1, 7]).fit(TABLE[:60])
    loaded = skops.io.loads(skops.io.dumps(model), trusted=sklrnn.trusted_types())
    same(answer(loaded), answer(model))


def test_every_trusted_type_is_part_of_a_saved_object_and_can_be_imported():
    others = [
        sklrnn.SlidingWindow(window_length=3, calendar=["week"]).fit(PANEL),
        sklrnn.forecasting.GRUForecaster(**TINY).pretrain(PANEL[["a"]], fh=[1]),
    ]
    safe = [skops.io.dumps(model) for model in [*fitted().values(), *others]]
    found = {name for each in safe for name in skops.io.get_untrusted_types(data=each)}
    assert found == set(sklrnn.trusted_types())


@pytest.mark.parametrize("name", ["SktimeClassifier", "SktimeRegressor"])
def test_an_adapter_saves_no_boolean_of_numpy_as_its_type_has_another_name_in_numpy_1(name):
    metadata = fitted()[name].__getstate__()["_X_metadata"]
    assert metadata["has_nans"] is False
    assert not any(isinstance(value, np.generic) for value in metadata.values())


PANELS = {
    "panel": lambda: sklrnn.forecasting.GRUForecaster(**TINY, n_networks=2).fit(PANEL),
    "two columns": lambda: sklrnn.forecasting.GRUForecaster(**TINY).fit(TABLE),
    "updated": lambda: sklrnn.forecasting.GRUForecaster(**TINY).fit(SALES[:50], fh=[1, 2]).update(SALES[50:]),
    "pretrained": lambda: sklrnn.forecasting.GRUForecaster(**TINY).pretrain(PANEL[["a"]], fh=[1]).fit(TABLE["b"]),
    "with X": lambda: sklrnn.forecasting.GRUForecaster(**TINY, future_X="unknown").fit(TABLE["a"], TABLE[["b"]]),
}


@pytest.mark.parametrize("make", PANELS.values(), ids=PANELS)
def test_skops_gives_back_forecasters_of_every_kind(make):
    model = make()
    loaded = skops.io.loads(skops.io.dumps(model), trusted=sklrnn.trusted_types())
    same(answer(loaded), answer(model))


def test_a_loaded_forecaster_is_updated_like_the_one_that_was_saved():
    model = PANELS["updated"]()
    later = pd.Series([1.0, 2.0], index=pd.period_range(SALES.index[-1] + 1, periods=2, freq="M"), name="sales")
    loaded = skops.io.loads(skops.io.dumps(model), trusted=sklrnn.trusted_types())
    same(answer(loaded.update(later)), answer(model.update(later)))


def indices():
    days = pd.date_range("2024-03-29 08:00", periods=6, freq="h", tz="Europe/Berlin", name="when")
    holidays = pd.offsets.CustomBusinessDay(n=2, holidays=["2024-03-08"], weekmask="Mon Tue Wed")
    return [
        pd.RangeIndex(3, 30, 3, name="n"),
        pd.Index([3, 5, 9]),
        pd.Index([0.5, np.nan]),
        pd.Index(["a", "b"], name=("x", 1)),
        pd.Index(["a", 1, None, pd.Timestamp("2020")], dtype=object),
        pd.Index([("a", 1), ("b", 2)], tupleize_cols=False),
        days,
        days[[0, 3]],
        days.as_unit("ns"),
        pd.date_range("2024-01-01", periods=5, freq=holidays),
        pd.date_range("2024-01-31", periods=5, freq="2ME"),
        pd.period_range("2010-01", periods=4, freq="Q-JAN"),
        pd.timedelta_range("1h", periods=3, freq="90min"),
        pd.MultiIndex.from_product([["a", "b"], pd.period_range("2010", periods=2, freq="Y")], names=["k", None]),
        pd.CategoricalIndex(["low", "high", "low"], categories=["low", "high"], ordered=True),
        pd.Index([True, False]),
        pd.Index([1, None], dtype="Int64"),
        pd.Index([pd.NaT, "x"], dtype=object),
    ]


@pytest.mark.parametrize("index", indices(), ids=lambda index: f"{type(index).__name__}-{index.dtype}")
def test_an_index_survives_as_plain_values(index):
    loaded = from_plain(json_like(to_plain(index)))
    pd.testing.assert_index_equal(loaded, index, exact=True)
    assert getattr(loaded, "freq", None) == getattr(index, "freq", None)


def json_like(value):
    """A copy, which must hold nothing but plain values and arrays."""
    if isinstance(value, dict):
        assert all(type(key) is str for key in value)
        return {key: json_like(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(json_like(item) for item in value)
    assert value is None or isinstance(value, bool | int | float | str | np.generic | np.ndarray), type(value)
    return value


def test_keys_of_any_kind_and_frames_survive_as_plain_values():
    keys = {None: 1, ("a", 2): pd.Timestamp("2020", tz="UTC"), pd.Period("2020Q1"): pd.Timedelta("1h")}
    assert from_plain(json_like(to_plain(keys))) == keys
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None], ("c", 1): pd.date_range("2020", periods=2)}, index=[5, 6])
    frame.columns = frame.columns.to_flat_index()
    assert_frame_equal(from_plain(json_like(to_plain(frame))), frame)


# -- refused states --------------------------------------------------------------------------------------------------


@every_stamped_class
def test_a_state_carries_the_version_and_the_format(name):
    stamp = fitted()[name].__getstate__()["sklrnn_format"]
    assert (stamp["version"], stamp["format"]) == (sklrnn.__version__, saved_state.FORMAT)


@every_stamped_class
def test_each_missing_or_unknown_name_is_refused(name):
    state = fitted()[name].__getstate__()
    for missing in state:
        with pytest.raises(ValueError, match=f"This saved {name} can't be loaded by sklrnn .*{missing}"):
            load({key: value for key, value in state.items() if key != missing}, name)
    with pytest.raises(ValueError, match=r"\['_offset'\] is unknown"):
        load({**state, "_offset": 0.0}, name)


@every_stamped_class
def test_a_state_of_another_version_is_refused_with_the_version_that_it_needs(name):
    state = fitted()[name].__getstate__()
    stamp = {**state["sklrnn_format"], "version": "9.1", "format": 99}
    with pytest.raises(ValueError, match="its format is 99.* It was saved by sklrnn 9.1.*pip install sklrnn==9.1"):
        load({**state, "sklrnn_format": stamp}, name)
    newer = {**stamp, "format": saved_state.FORMAT, "parameters": [*stamp["parameters"], "zoom"]}
    with pytest.raises(ValueError, match=r"\['zoom'\] is unknown.*sklrnn==9.1"):
        load({**state, "sklrnn_format": newer}, name)


@every_stamped_class
def test_parameters_that_came_later_have_their_defaults(name):
    model, state = fitted()[name], fitted()[name].__getstate__()
    for later, parameter in inspect.signature(type(model).__init__).parameters.items():
        if later == "self" or parameter.default is parameter.empty or later not in state:
            continue
        older = {key: value for key, value in state.items() if key != later}
        stamp = dict(state["sklrnn_format"])
        stamp["parameters"] = [each for each in stamp["parameters"] if each != later]
        stamp["names"] = [each for each in stamp["names"] if each != later]
        older["sklrnn_format"] = stamp
        with_new_digest(older)
        loaded = type(model).__new__(type(model))
        loaded.__setstate__(older)
        np.testing.assert_equal(getattr(loaded, later), parameter.default)


def test_a_state_without_a_version_is_refused():
    state = fitted()["GRURegressor"].__getstate__()
    del state["sklrnn_format"]
    with pytest.raises(ValueError, match="was saved by an earlier version. Load it with that one, or fit a new one"):
        load(state, "GRURegressor")


BREAK = {
    "a missing weight": (lambda model: model["weights"].pop("head.bias"), r"\['head.bias'\] is missing"),
    "an unknown weight": (lambda model: model["weights"].update(extra=np.zeros(2)), r"\['extra'\] is unknown"),
    "a weight of another shape": (lambda model: model["weights"].update({"head.bias": np.zeros(7)}), r"shape \(7,\)"),
    "NaN": (lambda model: model["weights"]["head.bias"].fill(np.nan), "'head.bias' holds NaN or infinity"),
    "a missing layer size": (lambda model: model["architecture"].pop("n_features"), r"\['n_features'\] is missing"),
    "an unknown layer": (lambda model: model["architecture"].update(heads=2), r"\['heads'\] is unknown"),
    "no curve": (lambda model: model.pop("loss_curve"), r"\['loss_curve'\] is missing"),
}


def test_an_object_of_a_class_in_a_function_is_loaded_from_what_cloudpickle_saved():
    """Dask and joblib send such objects by cloudpickle, which makes their class anew, without its `__qualname__`."""

    class Quiet(Callback):
        pass

    made_anew = type("Quiet", (Callback,), {"__module__": Quiet.__module__})
    state = sklrnn.GRURegressor(callbacks=[Quiet()]).__getstate__()
    loaded = sklrnn.GRURegressor()
    loaded.__setstate__({**state, "callbacks": [made_anew()]})
    assert type(loaded.callbacks[0]) is made_anew


def with_new_digest(state):
    """As if a damaged state had been saved."""
    stamp = state["sklrnn_format"]
    stamp["digest"] = saved_state.digest_of({key: item for key, item in state.items() if key != "sklrnn_format"})


@pytest.mark.parametrize(("damage", "message"), BREAK.values(), ids=BREAK)
@pytest.mark.parametrize("name", ["GRURegressor", "SequenceGenerator", "SequenceTranslator", "RecurrentImputer"])
def test_a_damaged_network_is_refused(name, damage, message):
    state = copy.deepcopy(fitted()[name].__getstate__())
    damage(state["model_"])
    with pytest.raises(ValueError, match="its values are not those that were saved.*was damaged or changed since"):
        load(copy.deepcopy(state), name)
    with_new_digest(state["model_"])
    with_new_digest(state)
    with pytest.raises(ValueError, match=f"{message}.*was damaged or changed since"):
        load(state, name)


@every_stamped_class
def test_a_changed_value_is_refused_wherever_it_is(name):
    """Every number, text or flag of the state, at any depth, one at a time."""
    state = fitted()[name].__getstate__()
    places = [(path, value) for path, value in plain_places(state) if path[-1] != "version"]  # which changes no answer
    assert places
    for path, value in places[:: max(1, len(places) // 40)]:
        changed = copy.deepcopy(state)
        *parents, last = path
        holder = changed
        for key in parents:
            holder = holder[key]
        holder[last] = changed_value(value)
        with pytest.raises(ValueError, match="can't be loaded"):
            load(changed, name)


def plain_places(value, path=()):
    if isinstance(value, dict):
        for key, item in value.items():
            yield from plain_places(item, (*path, key))
    elif isinstance(value, bool | int | float | str) or (
        isinstance(value, np.ndarray) and value.size and value.dtype.kind in "fi"
    ):
        yield path, value


def changed_value(value):
    if isinstance(value, np.ndarray):
        value = value.copy()
        value.flat[0] = changed_value(value.flat[0])
        return value
    if isinstance(value, str):
        return value + "x"
    return not value if isinstance(value, bool) else value + 1 if np.isfinite(value) else 0.0


def test_a_forecaster_with_a_damaged_network_is_refused():
    state = fitted()["GRUForecaster"].networks_[0].__getstate__()
    state["model"]["weights"]["head.bias"][:] = np.nan
    network = type(fitted()["GRUForecaster"].networks_[0])
    with_new_digest(state["model"])
    with_new_digest(state)
    with pytest.raises(ValueError, match="'head.bias' holds NaN"):
        network.__setstate__(network.__new__(network), state)


def test_a_part_of_a_forecaster_with_a_missing_name_is_refused():
    model = fitted()["GRUForecaster"]
    for part in (model._history, model._history.table, model.window_spec_, model.networks_[0].recipe.options):
        state = part.__getstate__()
        missing = next(iter(state))
        del state[missing]
        with pytest.raises(ValueError, match=rf"\['{missing}'\] is missing.*was damaged or changed since"):
            type(part).__setstate__(type(part).__new__(type(part)), state)


def test_unfitted_estimators_and_attributes_of_the_user_survive():
    model = sklrnn.GRURegressor(units=5)
    model.note = "of the user"
    loaded = pickle.loads(pickle.dumps(model))
    assert (loaded.units, loaded.note) == (5, "of the user")


# -- the format -------------------------------------------------------------------------------------------------------


def saved_names():
    """The names in the state of each class, its networks' included, and the format that they belong to."""
    names = {}
    for name in STAMPED:
        state = fitted()[name].__getstate__()
        names[name] = sorted(state)
        if "model_" in state:
            names[f"{name}.model_"] = sorted([*state["model_"], *state["model_"]["architecture"]])
    for part in sklrnn.trusted_types():
        module, kind = part.rsplit(".", 1)
        if kind in CLASSES or module == "numpy":
            continue
        names[part] = list(inspect.signature(getattr(importlib.import_module(module), kind)).parameters)
    return {"format": saved_state.FORMAT, "names": names}


def test_the_format_goes_up_when_what_is_saved_changes():
    stored = json.loads(NAMES.read_text(encoding="utf-8"))
    assert saved_names() == stored, (
        "What is saved has changed. If models of the stored format were released, increase FORMAT in "
        "sklrnn/saved_state.py; then run: python tests/test_saved_state.py"
    )


if __name__ == "__main__":
    NAMES.write_text(json.dumps(saved_names(), indent=1) + "\n", encoding="utf-8")
