"""Each loss against its definition, and its predictions against its loss."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import norm
from sklearn.metrics import (
    d2_pinball_score,
    mean_absolute_error,
    mean_pinball_loss,
    mean_poisson_deviance,
    mean_squared_error,
)
from torch import nn

from sklrnn.nn.loss_modules import WeightedTargets
from sklrnn.nn.losses import classification_loss, regression_loss


@pytest.fixture
def pair():
    generator = torch.Generator().manual_seed(0)
    raw = torch.randn(50, 2, generator=generator, dtype=torch.float64)
    return raw, torch.rand(50, 2, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize(
    ("name", "metric"), [("squared_error", mean_squared_error), ("absolute_error", mean_absolute_error)]
)
def test_mean_of_rows_is_the_metric(pair, name, metric):
    raw, target = pair
    loss = regression_loss(name, ())
    per_sample = loss.per_sample(raw, target)
    assert per_sample.shape == (50,)
    assert per_sample.mean().item() == pytest.approx(metric(target, raw))


def test_poisson_is_half_the_deviance_of_its_point(pair):
    raw, target = pair
    loss = regression_loss("poisson", ())
    rate = loss.point(raw.numpy()[..., np.newaxis])
    assert 2 * loss.per_sample(raw, target).mean().item() == pytest.approx(
        mean_poisson_deviance(target.numpy().ravel(), rate.ravel())
    )
    assert loss.positive
    assert not regression_loss("squared_error").positive


def test_quantile_loss_is_the_pinball_loss_of_its_quantiles():
    levels = (0.1, 0.5, 0.9)
    loss = regression_loss("quantile", levels)
    generator = torch.Generator().manual_seed(0)
    raw, target = (torch.randn(40, size, dtype=torch.float64, generator=generator) for size in (3, 1))
    quantiles = loss.quantiles(raw.numpy().reshape(40, 1, 3), np.array(levels))[:, 0]
    expected = np.mean([mean_pinball_loss(target, quantiles[:, i], alpha=a) for i, a in enumerate(levels)])
    assert loss.per_sample(raw, target).mean().item() == pytest.approx(expected)
    assert (np.diff(quantiles, axis=1) > 0).all()
    assert d2_pinball_score(target, quantiles[:, 1]) <= 1


def test_levels_between_the_trained_are_interpolated():
    loss = regression_loss("quantile", (0.2, 0.6))
    raw = np.zeros((1, 1, 2))
    low, middle, high = loss.quantiles(raw, np.array([0.2, 0.4, 0.6]))[0, 0]
    assert middle == pytest.approx((low + high) / 2)
    assert low < high


def test_levels_are_interpolated_between_the_two_beside_them():
    trained, raw = (0.1, 0.3, 0.9), np.array([[[-1.0, 0.5, 2.0]]])
    loss = regression_loss("quantile", trained)
    quantiles = loss.quantiles(raw, np.array(trained))[0, 0]
    np.testing.assert_allclose(quantiles, -1.0 + np.cumsum([0.0, np.log1p(np.exp(0.5)), np.log1p(np.exp(2.0))]))
    levels = np.array([0.1, 0.15, 0.3, 0.6, 0.9])
    np.testing.assert_allclose(loss.quantiles(raw, levels)[0, 0], np.interp(levels, trained, quantiles))


@pytest.mark.parametrize(
    ("trained", "nearest"), [((0.1, 0.3), 0.3), ((0.6, 0.9), 0.6), ((0.3, 0.6), 0.5), ((0.5, 0.9), 0.5)]
)
def test_the_point_is_the_level_nearest_to_the_median(trained, nearest):
    loss = regression_loss("quantile", trained)
    raw = np.array([[[-1.0, 0.5]], [[3.0, 0.0]]])
    np.testing.assert_array_equal(loss.point(raw), loss.quantiles(raw, np.array([nearest]))[..., 0])


def test_levels_are_covered_from_the_lowest_trained_to_the_highest():
    loss = regression_loss("quantile", (0.05, 0.95))
    assert loss.covers(np.array([(1 - 0.9) / 2, (1 + 0.9) / 2]))
    assert loss.covers(np.array([0.5]))
    assert not loss.covers(np.array([0.04, 0.5]))
    assert not loss.covers(np.array([0.5, 0.96]))
    assert regression_loss("gaussian").covers(np.array([0.001, 0.999]))


def test_huber_is_squared_up_to_one_and_linear_beyond():
    difference = torch.tensor([[0.0, 0.5, -1.0, 3.0]], dtype=torch.float64)
    losses = regression_loss("huber").per_output(difference, torch.zeros(1, 4, dtype=torch.float64))
    assert losses.tolist() == [[0.0, 0.125, 0.5, 2.5]]


def assert_formula_is_that_of_autograd(loss, raw, target):
    raw.requires_grad_(True)
    per_sample = loss.per_sample(raw, target)
    per_sample.sum().backward()
    losses, gradient = loss.per_sample.loss_gradient(raw.detach().numpy(), target.numpy())
    np.testing.assert_allclose(losses, per_sample.detach().numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(gradient, raw.grad.numpy(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("name", ["squared_error", "absolute_error", "huber", "gaussian", "poisson", "quantile"])
def test_formulas_of_gradients_are_those_of_autograd(name, n_outputs, weighted):
    generator = torch.Generator().manual_seed(0)
    loss = regression_loss(name, (0.1, 0.5, 0.8))
    raw = 2.0 * torch.randn(6, loss.width * n_outputs, generator=generator)
    target = 2.0 * torch.rand(6, n_outputs, generator=generator)
    if weighted:
        loss = replace(loss, per_output=WeightedTargets(loss.per_output))
        target = torch.cat([target, torch.rand(6, n_outputs, generator=generator)], dim=1)
    assert_formula_is_that_of_autograd(loss, raw, target)


def test_a_batch_of_one_has_one_loss_for_all_its_outputs():
    loss, raw, target = regression_loss("squared_error"), torch.tensor([[1.0, 2.0, 4.0]]), torch.zeros(1, 3)
    assert_formula_is_that_of_autograd(loss, raw, target)
    assert loss.per_sample(raw, target).tolist() == [7.0]


def test_the_formula_of_cross_entropy_is_that_of_autograd_for_logits_of_any_size():
    generator = torch.Generator().manual_seed(0)
    raw, target = 90.0 * torch.randn(6, 4, generator=generator), torch.randint(4, (6,), generator=generator)
    assert_formula_is_that_of_autograd(classification_loss("log_loss"), raw, target)


def test_a_weight_counts_the_loss_of_its_output_so_many_times(pair):
    raw, target = pair
    weights = torch.tensor([[0.0, 2.0]], dtype=torch.float64).expand(50, 2)
    weighted = WeightedTargets(regression_loss("squared_error").per_output)(raw, torch.cat([target, weights], dim=1))
    np.testing.assert_allclose(weighted.numpy(), (raw - target).square().numpy() * [0.0, 2.0])


def test_a_loss_without_a_formula_is_left_to_autograd():
    of_torch = regression_loss(nn.SmoothL1Loss)
    raw = np.zeros((2, 1), dtype=np.float32)
    assert of_torch.per_sample.loss_gradient(raw, raw) is None
    assert WeightedTargets(of_torch.per_output).loss_gradient(raw, np.zeros((2, 2), dtype=np.float32)) is None


def test_a_single_level_predicts_itself():
    loss = regression_loss("quantile", (0.3,))
    raw = np.full((2, 1, 1), 4.0)
    assert loss.point(raw).tolist() == [[4.0], [4.0]]
    assert loss.quantiles(raw, np.array([0.3])).tolist() == [[[4.0]], [[4.0]]]


def test_gaussian_quantiles_are_those_of_its_distribution():
    loss = regression_loss("gaussian", ())
    generator = torch.Generator().manual_seed(0)
    raw, target = (torch.randn(7, size, dtype=torch.float64, generator=generator) for size in (2, 1))
    numbers = raw.numpy().reshape(7, 1, 2)
    low, mean, high = np.moveaxis(loss.quantiles(numbers, norm.cdf([-1.0, 0.0, 1.0])), -1, 0)
    np.testing.assert_allclose(mean, loss.point(numbers))
    likelihood = norm(mean, (high - low) / 2).logpdf(target.numpy())
    expected = -likelihood.mean() - 0.5 * np.log(2 * np.pi)
    assert loss.per_sample(raw, target).mean().item() == pytest.approx(expected)


def test_any_torch_loss_is_computed_sample_by_sample(pair):
    raw, target = pair
    per_sample = regression_loss(nn.SmoothL1Loss, ()).per_sample(raw, target)
    assert per_sample.mean().item() == pytest.approx(nn.SmoothL1Loss()(raw, target).item())
    codes = torch.tensor([0, 1, 1])
    scores = classification_loss(nn.MultiMarginLoss).per_sample(raw[:3], codes)
    assert scores.mean().item() == pytest.approx(nn.MultiMarginLoss()(raw[:3], codes).item())


def test_a_class_that_is_no_loss_says_so():
    with pytest.raises(ValueError, match="takes no argument reduction='none'"):
        regression_loss(nn.Linear, ())


# -- classes of torch --------------------------------------------------------------------------------------------------


class SameCrossEntropy(nn.CrossEntropyLoss):
    """A subclass that changes nothing about what is computed."""


@pytest.mark.parametrize(
    ("kind", "needed"),
    [
        (nn.CrossEntropyLoss, "probabilities of two or more classes"),
        (SameCrossEntropy, "probabilities of two or more classes"),
        (nn.BCEWithLogitsLoss, "between 0 and 1"),
        (nn.MultiLabelSoftMarginLoss, "between 0 and 1"),
        (nn.SoftMarginLoss, "are -1 or 1"),
        (nn.HingeEmbeddingLoss, "are -1 or 1"),
    ],
)
def test_a_loss_of_labels_is_refused_for_numbers(kind, needed):
    target = torch.tensor([[-1.5], [0.5], [1.0]])
    with pytest.raises(ValueError, match=f"{needed}.* got targets from -1.5 to 1 in 1 output.*GRUClassifier"):
        regression_loss(kind).per_sample(torch.zeros(3, 1), target)


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        (nn.CrossEntropyLoss, [[1.0], [1.0]]),
        (nn.CrossEntropyLoss, [[-0.5, 1.5], [0.0, 1.0]]),
        (nn.CrossEntropyLoss, [[0.5, 0.5], [0.4, 0.5]]),
        (nn.BCEWithLogitsLoss, [[1.1], [0.0]]),
        (nn.BCEWithLogitsLoss, [[1.0], [-0.1]]),
        (nn.SoftMarginLoss, [[1.0], [0.0]]),
    ],
)
def test_one_target_of_another_kind_is_enough_to_refuse(kind, target):
    target = torch.tensor(target)
    with pytest.raises(ValueError, match="needs targets that"):
        regression_loss(kind).per_sample(torch.zeros(target.shape), target)


def test_shares_may_be_rounded():
    target = torch.tensor([[0.3333, 0.3333, 0.3333]])
    assert regression_loss(nn.CrossEntropyLoss).per_sample(torch.zeros(1, 3), target).shape == (1,)


@pytest.mark.parametrize("make", [regression_loss, classification_loss])
@pytest.mark.parametrize(
    ("kind", "instead"),
    [
        (nn.NLLLoss, 'loss="log_loss"'),
        (nn.KLDivLoss, "CrossEntropyLoss"),
        (nn.BCELoss, "BCEWithLogitsLoss"),
        (nn.GaussianNLLLoss, 'loss="gaussian"'),
    ],
)
def test_a_loss_that_takes_something_else_than_outputs_is_refused(kind, instead, make):
    with pytest.raises(ValueError, match=f"loss={kind.__name__} takes .* Use .*{instead}"):
        make(kind)


@pytest.mark.parametrize("kind", [nn.CosineEmbeddingLoss, nn.MarginRankingLoss, nn.TripletMarginLoss, nn.CTCLoss])
def test_a_loss_that_needs_more_arguments_says_so(kind):
    with pytest.raises(ValueError, match="missing . required positional argument.*Pass the class of a torch loss"):
        regression_loss(kind).per_sample(torch.zeros(3, 1), torch.zeros(3, 1))


def test_losses_of_labels_take_targets_of_their_kind():
    raw = torch.zeros(2, 2)
    shares, signs = torch.tensor([[0.25, 0.75], [1.0, 0.0]]), torch.tensor([[1.0, -1.0], [1.0, 1.0]])
    for kind, target in [
        (nn.CrossEntropyLoss, shares),
        (nn.BCEWithLogitsLoss, shares),
        (nn.SoftMarginLoss, signs),
        (nn.HingeEmbeddingLoss, signs),
    ]:
        expected = kind(reduction="mean")(raw, target)
        assert regression_loss(kind).per_sample(raw, target).mean().item() == pytest.approx(expected.item())


def test_poisson_of_torch_predicts_rates_like_poisson():
    raw = torch.tensor([[0.0], [1.0]])
    loss = regression_loss(nn.PoissonNLLLoss)
    assert loss.positive
    np.testing.assert_allclose(loss.point(raw.numpy()[..., np.newaxis]).ravel(), [1.0, np.e], rtol=1e-6)

    class OfRates(nn.PoissonNLLLoss):
        def __init__(self, reduction):
            super().__init__(log_input=False, reduction=reduction)

    assert not regression_loss(OfRates).positive
