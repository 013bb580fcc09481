"""The package in notebooks, which a kernel of Jupyter runs."""

import re
from pathlib import Path

import pytest

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("ipykernel")

README = Path(__file__).parents[1] / "README.md"
DATA = """
import numpy as np
from sklrnn import GRURegressor
X = np.random.default_rng(0).normal(size=(60, 8))
y = X[:, -1]
"""
STOPPED = """
import os, signal
from skorch.callbacks import Callback

class StopButton(Callback):
    def on_epoch_end(self, net, **_):
        if len(net.history) == 3:
            os.kill(os.getpid(), signal.SIGINT)  # what Jupyter sends

model = GRURegressor(max_epochs=1000, callbacks=[("stop", StopButton())], random_state=0)
model.fit(X, y)
"""


def run(cells, tmp_path, **options):
    """The outputs of each cell of a notebook."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell.strip()) for cell in cells])
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=600, kernel_name="python3", resources=resources, **options).execute()
    return [cell.outputs for cell in notebook.cells]


def printed(outputs, stream="stdout"):
    return "".join(output.text for output in outputs if output.output_type == "stream" and output.name == stream)


def test_readme_runs_as_one_notebook(tmp_path):
    code = re.findall(r"^```python\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    *_, last = run(code, tmp_path)
    tables = [output.data["text/html"] for output in last if "data" in output]
    assert len(tables) == 1
    assert "MASE" in tables[0]


def test_a_notebook_shows_what_estimators_show(tmp_path):
    _, shown, summary, bar, lines, warned, picture = run(
        [
            DATA,
            "model = GRURegressor(max_epochs=2, random_state=0).fit(X, y)\nmodel",
            "model.summary()",
            "GRURegressor(max_epochs=2, random_state=0, verbose=1).fit(X, y);",
            "GRURegressor(max_epochs=2, random_state=0, verbose=2).fit(X, y);",
            "for _ in range(3):\n    model.predict(X * 1e6)",
            "from sklrnn.inspection import draw_network\ndraw_network(model)",
        ],
        tmp_path,
    )
    (estimator,) = shown
    assert estimator.data["text/plain"] == "GRURegressor(max_epochs=2, random_state=0)"
    assert 0 < estimator.data["text/html"].index("max_epochs") < estimator.data["text/html"].index("<svg")

    (table,) = summary
    assert "Trainable parameters: 3393" in table.data["text/html"]

    assert re.search(r"2/2 .*loss=0\.\d+", printed(bar, "stderr"))
    assert re.fullmatch(r"(epoch \d/2  loss .* s\n){2}", printed(lines))

    # The warning comes once, and names the cell.
    (warning,) = warned
    assert len(re.findall("UserWarning: X lies far outside", warning.text)) == 1
    assert warning.text.rstrip().endswith("model.predict(X * 1e6)")

    (drawn,) = picture
    assert {"text/plain", "text/html", "image/svg+xml"} <= {*drawn.data}


def test_the_stop_button_leaves_a_model_that_can_be_used(tmp_path):
    _, stopped, after = run(
        [DATA, STOPPED, "print(model.n_iter_, model.predict(X[:2]).shape)"], tmp_path, allow_errors=True
    )
    assert [output.ename for output in stopped if output.output_type == "error"] == ["KeyboardInterrupt"]
    assert printed(stopped, "stderr").count("ConvergenceWarning") == 1
    assert printed(after) == "3 (2,)\n"
