"""The command starts a server, loads a file and answers on a port of this machine."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import httpx
import numpy as np
import pytest
from serving.__main__ import main
from serving.loading import load_model
from skops import io

from sklrnn import trusted_types

ROOT = Path(__file__).parents[2]


@pytest.fixture
def saved(regressor, tmp_path):
    io.dump(regressor, tmp_path / "model.skops")
    return tmp_path / "model.skops"


def test_a_saved_model_answers_on_a_port(saved, regressor, X):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "examples"), str(ROOT)])}
    command = [sys.executable, "-m", "serving", str(saved), "--port", "0", "--max-samples", "4"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as server:
        try:
            address = next(found[0] for line in server.stderr if (found := re.search(r"http://127\.0\.0\.1:\d+", line)))
            answer = httpx.post(f"{address}/predict", json={"sequences": X[:4].tolist()})
            too_many = httpx.post(f"{address}/predict", json={"sequences": X[:5].tolist()})
        finally:
            server.terminate()
            server.stderr.read()
    np.testing.assert_allclose(answer.json()["predictions"], regressor.predict(X[:4]), rtol=1e-6)
    assert too_many.status_code == 422


def test_a_file_that_runs_code_is_refused(tmp_path):
    for name in ("model.pkl", "model.joblib"):
        with pytest.raises(ValueError, match="must be a file .skops or .onnx.*skops.io.dump or sklrnn.export.to_onnx"):
            load_model(tmp_path / name)


def test_a_type_that_is_not_trusted_is_refused(tmp_path):
    io.dump(time.sleep, tmp_path / "model.skops")
    assert "time.sleep" not in trusted_types()
    with pytest.raises(Exception, match="sleep"):
        load_model(tmp_path / "model.skops")


def test_a_streaming_form_belongs_to_an_onnx_file(saved):
    with pytest.raises(ValueError, match="Leave it out"):
        load_model(saved, "stream.onnx")


def test_the_options_are_the_limits(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    assert "--stream-expires-after" in shown
    assert "--max-waiting" in shown
