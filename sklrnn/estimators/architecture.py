"""The parameters of an estimator as the description of its network."""

import math
from typing import Any

from sklrnn.estimators.options import as_tuple, recurrent_options
from sklrnn.inputs.user_warnings import warn_user
from sklrnn.nn.network import Network, NetworkArchitecture

# Recurrent steps that pool_size="auto" leaves at most. A network hardly learns from steps some hundred before the end.
_MOST_RECURRENT_STEPS = 64


def architecture_of(
    estimator: Any, *, n_features: int, n_tokens: int, n_outputs: int, n_steps: int
) -> NetworkArchitecture:
    """Describe the network of an estimator whose longest training sequence has ``n_steps`` steps."""
    e = estimator
    _check_outputs_of_steps(e)
    filters = as_tuple(e.filters)
    if e.cell is None:
        _check_without_recurrence(e)
    return NetworkArchitecture(
        n_features=n_features,
        n_outputs=n_outputs,
        filters=filters,
        kernel_size=int(e.kernel_size),
        pool_size=_pool_size(e, filters, n_steps),
        batch_norm=bool(e.batch_norm),
        convolution_skip=bool(e.convolution_skip and not e.return_sequences),
        pooling="last" if e.return_sequences else e.pooling,
        stateful=bool(e.stateful),
        return_sequences=bool(e.return_sequences),
        n_tokens=n_tokens,
        embedding_dim=int(e.embedding_dim or 0),
        flag_missing=e.missing == "mask",
        normalize_X="window" if e.normalize_X == "window" else "training",
        **recurrent_options(e),
    )


def _pool_size(estimator: Any, filters: tuple[int, ...], n_steps: int) -> int | tuple[int, ...]:
    """One block size behind the last convolution; where it is chosen here, one behind each."""
    if estimator.pool_size != "auto":
        return int(estimator.pool_size)
    left = 1 if estimator.return_sequences else math.ceil(n_steps / _MOST_RECURRENT_STEPS)
    sizes = []
    for n_convolutions in range(len(filters), 0, -1):
        sizes.append(max(1, round(left ** (1 / n_convolutions))))
        left = math.ceil(left / sizes[-1])
    return tuple(sizes) if max(sizes, default=1) > 1 else 1


def _check_without_recurrence(estimator: Any) -> None:
    """Refuse what only recurrent layers have."""
    if estimator.filters is None:
        raise ValueError(
            "cell=None leaves out the recurrent layers, and filters=None the convolutions, so nothing is left to "
            'learn from. Set filters, such as filters=32, or a cell, such as cell="gru".'
        )
    reasons = {
        "bidirectional": "reads each sequence in both directions",
        "recurrent_dropout": "drops parts of the recurrent state",
        "residual": "adds the input of a recurrent layer to its output",
        "stateful": "passes the state from each segment to the next",
    }
    for name, reason in reasons.items():
        value = getattr(estimator, name)
        if value:
            without = 0.0 if name == "recurrent_dropout" else False
            raise ValueError(
                f"{name}={value!r} {reason}, but cell=None leaves out the recurrent layers. Set {name}={without!r}, or "
                'a cell, such as cell="gru".'
            )


def warn_of_unread_steps(network: Network, n_steps: int) -> None:
    """Warn where convolutions alone predict from the newest steps only, and what came before is lost."""
    a, n_read = network.architecture, network.convolution.n_steps_read()
    reads_all = a.cell is not None or a.pooling != "last" or a.return_sequences or a.convolution_skip
    if n_read < n_steps and not reads_all:
        warn_user(
            f'With cell=None and pooling="last" the prediction reads the newest {n_read} of {n_steps} steps only, as '
            'the newest output of the last convolution does. Set pooling="mean", "max" or "attention" to read all '
            "steps, or increase kernel_size, pool_size or the number of convolutions."
        )


def _check_outputs_of_steps(estimator: Any) -> None:
    """Refuse what joins steps where each step has a prediction of its own; the defaults of a class are ignored."""
    kind = type(estimator)
    if not estimator.return_sequences:
        return
    if estimator.pooling not in ("last", kind.pooling):
        raise ValueError(
            "return_sequences=True predicts at every step from its own hidden state, but "
            f'pooling={estimator.pooling!r} joins the states of all steps. Set pooling="last", or '
            "return_sequences=False."
        )
    if estimator.convolution_skip and not kind.convolution_skip:
        raise ValueError(
            "return_sequences=True predicts at every step, but convolution_skip=True adds the mean over all steps. Set "
            "one of them to False."
        )
