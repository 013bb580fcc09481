"""The HTML representation of an estimator links to its page in the documentation."""

import re
from email.message import Message
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
import sklearn
from sklearn.pipeline import make_pipeline
from sklearn.utils.fixes import parse_version

import sklrnn
from sklrnn import forecasting, sktime_adapters
from sklrnn.inputs import documentation
from sklrnn.inputs.documentation import documentation_address, page_template
from sklrnn.inputs.sklearn_classes import BaseEstimator

ADDRESS = "https://documentation.test/stable"
API = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
WITH_REPRESENTATION = [
    getattr(package, name)
    for package in (sklrnn, forecasting, sktime_adapters)
    for name in package.__all__
    if hasattr(getattr(package, name), "get_params")
]


@pytest.fixture
def published(monkeypatch):
    monkeypatch.setattr(documentation, "_project_urls", lambda: {"Documentation": f"{ADDRESS}/"})
    monkeypatch.setattr(documentation, "PAGE_TEMPLATE", page_template())
    monkeypatch.setattr(BaseEstimator, "_doc_link_template", page_template())


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("kind", WITH_REPRESENTATION)
def test_representation_links_to_the_page_of_the_class(kind):
    name = f"{kind.__module__}.{kind.__name__}"
    assert f'href="{ADDRESS}/generated/{name}.html"' in kind()._repr_html_()
    # autosummary makes a page of this name of each entry.
    assert re.search(rf"^   {name.removeprefix('sklrnn.')}$", API, re.MULTILINE)


@pytest.mark.skipif(parse_version(sklearn.__version__) < parse_version("1.8"), reason="scikit-learn 1.8 brought them")
@pytest.mark.usefixtures("published")
def test_parameters_link_to_their_description():
    page = f"{ADDRESS}/generated/sklrnn.GRURegressor.html"
    html = make_pipeline(sklrnn.SlidingWindow(), sklrnn.GRURegressor())._repr_html_()
    assert f'href="{page}#:~:text=units,-int%20or%20tuple%20of%20int%2C%20default%3D32"' in html
    described = re.findall(re.escape(page) + "#:~:text=(\\w+),-", html)
    assert {*described} == {*sklrnn.GRURegressor().get_params()}


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("base", [sklrnn.GRURegressor, forecasting.GRUForecaster])
def test_a_class_of_the_user_has_no_page(base):
    mine = type("Mine", (base,), {"__module__": "__main__"})
    assert mine()._get_doc_link() == ""


def test_address_is_that_of_the_project(monkeypatch):
    package = Message()
    package["Project-URL"] = "Source, https://source.test"
    package["Project-URL"] = f"Documentation, {ADDRESS}"
    monkeypatch.setattr(documentation, "metadata", {"sklrnn": package}.__getitem__)
    assert documentation_address() == ADDRESS


def test_without_an_address_pages_built_in_a_checkout_are_taken(monkeypatch, tmp_path):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(documentation, "metadata", missing)
    monkeypatch.setattr(documentation, "_BUILT_IN_A_CHECKOUT", tmp_path)
    assert page_template() == f"{tmp_path.as_uri()}/generated/{{estimator_module}}.{{estimator_name}}.html"


def test_without_any_pages_there_is_no_link(monkeypatch, tmp_path):
    monkeypatch.setattr(documentation, "_project_urls", dict)
    monkeypatch.setattr(documentation, "_BUILT_IN_A_CHECKOUT", tmp_path / "missing")
    monkeypatch.setattr(BaseEstimator, "_doc_link_template", page_template())
    html = sklrnn.GRURegressor()._repr_html_()
    assert "GRURegressor" in html
    assert "href" not in html
