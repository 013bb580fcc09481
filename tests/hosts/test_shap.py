import numpy as np
import pytest

pytestmark = pytest.mark.hosts


def test_values_sum_to_the_prediction_minus_the_expectation(code_of):
    names = code_of("shap")
    expected = names["network"].predict(names["X"][:20]).mean()
    assert names["explainer"].expected_value == pytest.approx(expected)
    total = names["by_step"].sum(axis=(1, 2))
    np.testing.assert_allclose(total + expected, names["network"].predict(names["X"][250:260]))


def test_values_point_at_the_steps_that_y_is_made_of(code_of):
    by_step = np.abs(code_of("shap")["by_step"]).mean(axis=0)  # (time, feature)
    assert by_step[-3:, 0].min() > 1.5 * max(by_step[:-3].max(), by_step[:, 1].max())


def test_explainer_chosen_by_shap_agrees(code_of):
    import shap

    names = code_of("shap")
    explained = shap.Explainer(names["predict"], names["table"][:20], seed=0)(names["table"][250:260])
    np.testing.assert_allclose(
        explained.values.sum(axis=1) + explained.base_values, names["network"].predict(names["X"][250:260])
    )
    np.testing.assert_allclose(explained.values.reshape(-1, 10, 2), names["by_step"], atol=0.15)


def test_a_network_with_n_timesteps_is_explained_without_a_function(code_of):
    import shap

    names = code_of("shap")
    reader = names["reader"].fit(names["table"][:250], names["y"][:250])
    explainer = shap.KernelExplainer(reader.predict, names["table"][:20])
    values = explainer.shap_values(names["table"][250:252], nsamples=200)
    np.testing.assert_allclose(values.sum(axis=1) + explainer.expected_value, reader.predict(names["table"][250:252]))


def test_gradient_explainer_reads_the_module(code_of):
    import shap
    import torch

    names = code_of("shap")
    background, rows = (torch.tensor(part, dtype=torch.float32) for part in (names["X"][:250], names["X"][250:260]))
    explainer = shap.GradientExplainer(names["network"].module_, background)
    values = explainer.shap_values(rows, nsamples=400, rseed=0)[..., 0] * names["y"][:250].std()
    assert np.corrcoef(values.ravel(), names["by_step"].ravel())[0, 1] > 0.95


@pytest.mark.filterwarnings("ignore:__array_wrap__ must accept:DeprecationWarning")
def test_deep_explainer_says_that_it_does_not_add_up(code_of):
    import shap
    import torch

    names = code_of("shap")
    explainer = shap.DeepExplainer(names["network"].module_, torch.tensor(names["X"][:50], dtype=torch.float32))
    with (
        pytest.warns(UserWarning, match="unrecognized nn.Module"),
        pytest.raises(AssertionError, match="do not sum up"),
    ):
        explainer.shap_values(torch.tensor(names["X"][250:252], dtype=torch.float32))
