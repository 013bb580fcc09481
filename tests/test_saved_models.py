"""Models that releases saved are loaded, answer as they did then, and train on: see ``saved_models/write.py``."""

import importlib.util
import json
from functools import cache
from pathlib import Path

import joblib
import numpy as np
import pytest
import skops.io
from sklearn.exceptions import InconsistentVersionWarning

import sklrnn

FOLDER = Path(__file__).parent / "saved_models"
SCRIPT = FOLDER / "write.py"
RELEASES = sorted(folder for folder in FOLDER.iterdir() if (folder / "answers.json").exists())
FILES = sorted(path for release in RELEASES for path in release.iterdir() if path.suffix in (".skops", ".joblib"))
# Relative to the largest answer: other processors and versions of numpy and torch round otherwise.
TOLERANCE = 3e-5

# Pipelines are scikit-learn's: it warns of each that another of its versions saved.
pytestmark = pytest.mark.filterwarnings(f"ignore::{InconsistentVersionWarning.__module__}.InconsistentVersionWarning")


def kinds_of_models():
    spec = importlib.util.spec_from_file_location("write_saved_models", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.KINDS


@cache
def stored(release):
    return json.loads((release / "answers.json").read_text(encoding="utf-8"))


def model_of(path):
    return stored(path.parent)["models"][path.stem]


def name_of(path):
    return f"{path.parent.name}/{path.name}"


KINDS = kinds_of_models()
TRAINED_ON = [path for path in FILES if KINDS[model_of(path)["kind"]][1] is not None]


def load(path):
    if path.suffix == ".skops":
        return skops.io.load(path, trusted=sklrnn.trusted_types())
    if np.lib.NumpyVersion(np.__version__) < "2.0.0" <= np.lib.NumpyVersion(stored(path.parent)["numpy"]):
        pytest.skip("numpy 1 can't read what numpy 2 pickled; files of skops are read")
    return joblib.load(path)


def assert_same(answers, expected):
    assert answers.keys() == expected.keys()
    for what, answer in answers.items():
        found, wanted = np.asarray(answer), np.asarray(expected[what])
        if wanted.dtype.kind == "U":
            assert found.tolist() == wanted.tolist()
        else:
            np.testing.assert_allclose(found, wanted, rtol=0, atol=TOLERANCE * max(1.0, np.abs(wanted).max()))


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_model_that_a_release_saved_answers_as_it_did_then(path):
    model = model_of(path)
    ask, _ = KINDS[model["kind"]]
    assert_same(ask(load(path), model["inputs"]), model["answers"])


@pytest.mark.parametrize("path", TRAINED_ON, ids=name_of)
def test_a_model_that_a_release_saved_trains_on(path):
    loaded, model = load(path), model_of(path)
    ask, train_on = KINDS[model["kind"]]
    before = ask(loaded, model["inputs"])
    after = ask(train_on(loaded, model["inputs"]), model["inputs"])
    for what, answer in before.items():
        old, new = np.asarray(answer), np.asarray(after[what])
        assert new.shape == old.shape
        if old.dtype.kind == "f":  # labels and texts need not change in an epoch
            assert np.isfinite(new).all()
            assert (new != old).any()


def test_another_answer_would_be_seen():
    answers = stored(RELEASES[0])["models"]["GRUClassifier"]["answers"]
    assert_same(answers, answers)
    for what, values in answers.items():
        with pytest.raises(AssertionError):
            assert_same({**answers, what: np.roll(values, 1, axis=0)}, answers)


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.name)
def test_a_release_has_two_files_and_the_answers_of_every_model(release):
    names = {path.name for path in release.iterdir()} - {"answers.json"}
    assert names == {f"{name}{suffix}" for name in stored(release)["models"] for suffix in (".skops", ".joblib")}
    assert sum(path.stat().st_size for path in release.iterdir()) < 500_000
