import numpy as np
import pytest

pytestmark = pytest.mark.hosts


def test_session_answers_as_the_network_does(code_of):
    names = code_of("ONNX Runtime")
    expected = names["network"].predict(names["X"])
    np.testing.assert_allclose(names["answer"], expected, rtol=1e-5, atol=1e-5 * names["y"].std())
    assert names["session"].get_inputs()[0].shape[1] != 10  # any number of steps
