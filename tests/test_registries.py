"""What registries of other packages find here, and how they are told of the rest."""

import pytest
from skbase.lookup import all_objects
from sktime.base import BaseObject
from sktime.registry import craft
from sktime.transformations.series.detrend import Deseasonalizer

import sklrnn.forecasting
from sklrnn import GRUClassifier, sktime_adapters
from sklrnn.forecasting import GRUForecaster
from sklrnn.sktime_adapters import SktimeClassifier

# sktime 1.2 announces a change of its own whenever one of its forecasters is made.
pytestmark = pytest.mark.filterwarnings("ignore:The default of config ``remember_data``:FutureWarning")


def test_walk_through_the_package_finds_each_public_class_of_sktime_once():
    found = all_objects(package_name="sklrnn", object_types=BaseObject, modules_to_ignore="comparison")
    public = {name: getattr(sktime_adapters, name) for name in sktime_adapters.__all__}
    public |= {name: getattr(sklrnn.forecasting, name) for name in sklrnn.forecasting.__all__ if "Forecaster" in name}
    assert found == sorted(public.items())


def test_classes_found_may_be_filtered_by_tags():
    options = {"package_name": "sklrnn", "object_types": BaseObject, "modules_to_ignore": "comparison"}
    classifiers = all_objects(filter_tags={"object_type": "classifier"}, return_names=False, **options)
    assert classifiers == [SktimeClassifier]


@pytest.mark.parametrize(
    ("model", "imported"),
    [
        (Deseasonalizer(sp=12) * GRUForecaster(units=8), "from sklrnn.forecasting import GRUForecaster"),
        (
            SktimeClassifier(GRUClassifier(units=3)),
            "from sklrnn import GRUClassifier; from sklrnn.sktime_adapters import SktimeClassifier",
        ),
    ],
    ids=["pipeline", "adapter"],
)
def test_craft_makes_a_model_from_its_text_and_the_import(model, imported):
    again = craft(f"\n{imported}\nreturn {model}")
    assert type(again) is type(model)
    assert str(again) == str(model)
