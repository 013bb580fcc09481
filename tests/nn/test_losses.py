"""Each loss against its definition, and its predictions against its loss."""

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
