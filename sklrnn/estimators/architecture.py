"""The parameters of an estimator as the description of its network."""

from typing import Any

from sklrnn.estimators.options import as_tuple, recurrent_options
from sklrnn.nn.network import NetworkArchitecture

# Recurrent steps that pool_size="auto" leaves at most: beyond some hundred a network hardly learns from early ones.
_MOST_RECURRENT_STEPS = 64


def architecture_of(
    estimator: Any, *, n_features: int, n_tokens: int, n_outputs: int, n_steps: int
) -> NetworkArchitecture:
    """Describe the network of an estimator whose longest training sequence has ``n_steps`` steps."""
    e = estimator
    check_pooling(e)
    pool_size = e.pool_size
    if pool_size == "auto":
        pool_size = 1 if e.return_sequences else -(-n_steps // _MOST_RECURRENT_STEPS)
    return NetworkArchitecture(
        n_features=n_features,
        n_outputs=n_outputs,
        filters=as_tuple(e.filters),
        kernel_size=int(e.kernel_size),
        pool_size=int(pool_size),
        pooling="last" if e.return_sequences else e.pooling,
        stateful=bool(e.stateful),
        return_sequences=bool(e.return_sequences),
        n_tokens=n_tokens,
        embedding_dim=int(e.embedding_dim or 0),
        flag_missing=e.missing == "mask",
        normalize_X="window" if e.normalize_X == "window" else "training",
        **recurrent_options(e),
    )


def check_pooling(estimator: Any) -> None:
    """Refuse a readout of all steps where each step has a prediction of its own; the default of a class is ignored."""
    pooling = estimator.pooling
    if estimator.return_sequences and pooling not in ("last", type(estimator).pooling):
        raise ValueError(
            f"return_sequences=True predicts at every step from its own hidden state, but pooling={pooling!r} joins "
            'the states of all steps. Set pooling="last", or return_sequences=False.'
        )
