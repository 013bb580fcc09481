"""Fixtures that run exported models. Nothing here imports onnx, so that the tests can be skipped without it."""

import numpy as np
import pytest


@pytest.fixture(scope="session")
def run_onnx():
    """Outputs by name of a model for its inputs."""
    onnxruntime = pytest.importorskip("onnxruntime")

    def run(model, **inputs):
        session = onnxruntime.InferenceSession(model.SerializeToString())
        return dict(zip([output.name for output in session.get_outputs()], session.run(None, inputs), strict=True))

    return run


@pytest.fixture
def random():
    return np.random.default_rng(0)
