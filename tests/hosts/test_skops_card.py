import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.hosts


def test_card_lists_each_parameter_the_picture_and_the_score(code_of):
    names = code_of("skops")
    text = Path("README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| +(\w+) +\| +(.*?) +\|$", text, re.MULTILINE))
    assert {name: str(value) for name, value in names["network"].get_params().items()}.items() <= rows.items()
    assert float(rows["r2"]) == pytest.approx(names["network"].score(names["X"][250:], names["y"][250:]), abs=1e-4)
    assert "sk-container" in text
    assert "<svg" in text  # the layers of the network


def test_card_of_a_forecaster_lists_its_parameters(code_of):
    from sklrnn.forecasting import GRUForecaster

    names = code_of("skops")
    forecaster = GRUForecaster(units=4, max_epochs=2, random_state=0).fit(names["passengers"], fh=[1])
    text = names["card"].Card(forecaster, model_diagram=False).render()
    assert re.search(r"\| +units +\| +4 +\|", text)
