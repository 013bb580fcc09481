"""Losses given as a class of torch: which of them can be learnt with, and from which targets."""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor, nn

Kind = type[nn.Module]

_FOR_LABELS = "For labels use a classifier, such as GRUClassifier."

# The network gives any number, and nothing else.
_CANNOT_LEARN: dict[Kind, str] = {
    nn.NLLLoss: "takes log-probabilities, but the outputs of a network are any numbers. Use a classifier with "
    'loss="log_loss", which is the same loss for these.',
    nn.KLDivLoss: "takes log-probabilities, but the outputs of a network are any numbers. Use "
    "torch.nn.CrossEntropyLoss, which differs by a constant, for these.",
    nn.BCELoss: "takes probabilities, but the outputs of a network are any numbers. Use torch.nn.BCEWithLogitsLoss, "
    f"which is the same loss for these. {_FOR_LABELS}",
    nn.GaussianNLLLoss: 'takes a variance as a third argument. Use loss="gaussian", which learns it.',
}


class _Targets(NamedTuple):
    """The targets that a loss can be computed for."""

    words: str
    are: Callable[[Tensor], bool]


_SHARES = _Targets(
    "are probabilities of two or more classes, one output for each, with a sum of 1",
    lambda y: y.shape[1] > 1 and bool((y >= 0).all()) and bool(((y.sum(dim=1) - 1).abs() < 1e-3).all()),
)
_PROBABILITIES = _Targets("lie between 0 and 1", lambda y: bool(((y >= 0) & (y <= 1)).all()))
_SIGNS = _Targets("are -1 or 1", lambda y: bool((y.abs() == 1).all()))
# Only for numbers as targets: to a classifier these losses are given codes of classes, or refuse them by themselves.
_NUMBERS_NEEDED: dict[Kind, _Targets] = {
    nn.CrossEntropyLoss: _SHARES,
    nn.BCEWithLogitsLoss: _PROBABILITIES,
    nn.MultiLabelSoftMarginLoss: _PROBABILITIES,
    nn.SoftMarginLoss: _SIGNS,
    nn.HingeEmbeddingLoss: _SIGNS,
}


class LossOfTorch(nn.Module):
    """Any loss module of torch, without its reduction.

    ``predicts_log_rate`` says that outputs are logarithms of a rate.
    """

    def __init__(self, kind: Kind) -> None:
        super().__init__()
        for refused, why in _CANNOT_LEARN.items():
            if _computes_the_same(kind, refused):
                raise ValueError(f"loss={kind.__name__} {why}")
        try:
            self.module = kind(reduction="none")
        except TypeError as error:
            raise ValueError(
                f"loss={kind.__name__} can't give one loss a sample: it takes no argument reduction='none'. "
                "Pass the class of a torch loss such as torch.nn.SmoothL1Loss."
            ) from error
        self.predicts_log_rate = isinstance(self.module, nn.PoissonNLLLoss) and bool(self.module.log_input)
        found = [targets for known, targets in _NUMBERS_NEEDED.items() if _computes_the_same(kind, known)]
        self._needed = found[0] if found else None

    def forward(self, raw: Tensor, target: Tensor) -> Tensor:
        name = type(self.module).__name__
        if self._needed is not None and target.is_floating_point() and not self._needed.are(target):
            raise ValueError(
                f"loss={name} needs targets that {self._needed.words}, got targets from {float(target.min()):g} to "
                f"{float(target.max()):g} in {target.shape[1]} output(s). Set normalize_y=False if those in y are of "
                f"this kind; predictions are then the numbers that torch calls logits. {_FOR_LABELS}"
            )
        try:
            losses: Tensor = self.module(raw, target)
        except (TypeError, ValueError, RuntimeError) as error:
            raise ValueError(
                f"loss={name} can't compare outputs of shape {tuple(raw.shape)} with targets of "
                f"shape {tuple(target.shape)}: {error}. Pass the class of a torch loss that takes these."
            ) from error
        return losses


def _computes_the_same(kind: Kind, known: Kind) -> bool:
    """Whether a class is one of torch, or a subclass that computes it in the same way."""
    return issubclass(kind, known) and kind.forward is known.forward
