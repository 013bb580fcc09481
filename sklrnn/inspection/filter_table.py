"""The filters of the convolutions, and series passed through them."""

from typing import Any, Literal

import pandas as pd
import torch
from torch import Tensor

from sklrnn.inputs.feature_names import feature_names
from sklrnn.inspection.fitted_network import FittedNetwork, find_estimator
from sklrnn.nn.convolution import BatchNorm

Weights = Literal["learned", "initial"]


def filters(est: Any, *, layer: int = 1, weights: Weights = "learned") -> pd.DataFrame:
    """Give the filters of a convolution: the weights of the steps that a filter reads.

    A filter with equal weights is a moving average, which removes noise; one whose weights rise from negative to
    positive values answers to a rise, one whose weights fall to a drop.

    Parameters
    ----------
    est : estimator
        A fitted regressor or classifier with convolutions, a pipeline that ends with one, or a search over them.
    layer : int, default=1
        The convolution, counted from 1.
    weights : {"learned", "initial"}, default="learned"
        The fitted weights, or the random ones that training began with.

    Returns
    -------
    filters : DataFrame
        A row for each ``(filter, feature)``, and a column for each number of steps back from the newest step that the
        filter reads. Weights are those of the standardised features; batch normalisation is included.

    See Also
    --------
    filter_responses : Series passed through the filters.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn import CNNLSTMRegressor
    >>> from sklrnn.inspection import filters
    >>> X = np.random.default_rng(0).normal(size=(100, 20))
    >>> model = CNNLSTMRegressor(filters=4, kernel_size=3, max_epochs=5, random_state=0).fit(X, X[:, -1])
    >>> table = filters(model)
    >>> table.columns.tolist()
    [2, 1, 0]
    >>> table.index.unique("filter").tolist()
    [0, 1, 2, 3]
    """
    estimator = find_estimator(est)
    network = _network(estimator, estimator.model_.double_copy(), weights)
    convolution, norm = _chosen_layer(network, layer, estimator)
    values = convolution.weight.detach()  # (filter, feature, place)
    if isinstance(norm, BatchNorm):
        values = values * torch.from_numpy(norm.scale_and_shift()[0]).view(-1, 1, 1)
    n_filters, n_features, size = values.shape
    names = _input_names(estimator, network) if layer == 1 else list(range(n_features))
    rows = pd.MultiIndex.from_product([range(n_filters), names], names=["filter", "feature"])
    columns = pd.Index(range(size - 1, -1, -1), name="steps_back")
    return pd.DataFrame(values.reshape(-1, size).numpy(), index=rows, columns=columns)


def filter_responses(est: Any, X: Any, *, layer: int = 1, weights: Weights = "learned") -> pd.DataFrame:
    """Pass sequences through the filters of a convolution.

    Parameters
    ----------
    est : estimator
        A fitted regressor or classifier with convolutions, a pipeline that ends with one, or a search over them.
    X : array-like of shape (sample, time) or (sample, time, feature), or list of (time_i, feature) arrays
        Sequences, or what the pipeline takes.
    layer : int, default=1
        The convolution, counted from 1.
    weights : {"learned", "initial"}, default="learned"
        The fitted weights, or the random ones that training began with.

    Returns
    -------
    responses : DataFrame
        A row for each ``(sample, time)`` and a column for each filter: its weighted sum of the steps up to this one,
        bias and batch normalisation included. The network passes on what is above zero (ReLU).

    See Also
    --------
    sklrnn.inspection.filters : The weights of the filters.
    sklrnn.inspection.FilterDisplay : Draws both.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn import CNNLSTMRegressor
    >>> from sklrnn.inspection import filter_responses
    >>> X = np.random.default_rng(0).normal(size=(100, 20))
    >>> model = CNNLSTMRegressor(filters=4, kernel_size=3, max_epochs=5, random_state=0).fit(X, X[:, -1])
    >>> filter_responses(model, X[:2]).shape  # (sample and time, filter)
    (40, 4)
    """
    fitted = FittedNetwork.of(est, X)
    network = _network(fitted.estimator, fitted.network(), weights)
    convolution, norm = _chosen_layer(network, layer, fitted.estimator)
    kept: list[Tensor] = []
    source = norm if isinstance(norm, BatchNorm) else convolution
    source.register_forward_hook(lambda _, __, given: kept.append(given))
    x, lengths = fitted.tensors()
    with torch.no_grad():
        network.encode(x, lengths=lengths)
    n_pooled = 1
    for size in network.convolution.pool_sizes[: layer - 1]:
        n_pooled *= size
    table = fitted.table({(): kept[0].permute(2, 0, 1)}, ["filter"], n_pooled)
    return table.set_axis(table.columns.get_level_values(0), axis=1)


def standardised_input(est: Any, X: Any) -> pd.DataFrame:
    """What the first convolution reads, with a row for each ``(sample, time)``."""
    fitted = FittedNetwork.of(est, X)
    network = fitted.network()
    x, lengths = fitted.tensors()
    with torch.no_grad():
        read = network.embedding(x) if network.architecture.n_tokens else network.standardise(x, lengths)
    table = fitted.table({(): read.transpose(0, 1)}, ["feature"], 1)
    return table.set_axis(pd.Index(_input_names(fitted.estimator, network), name="feature"), axis=1)


def _network(estimator: Any, learned: Any, weights: Weights) -> Any:
    """The fitted network, or one with its scales and the weights that training began with."""
    if weights == "learned":
        return learned.eval()
    if weights != "initial":
        raise ValueError(f'weights must be "learned" or "initial", got {weights!r}.')
    architecture = estimator.model_.architecture
    initial = architecture.build(seed=estimator.model_.options.seed).double().eval()
    initial.standardise, initial.embedding = learned.standardise, learned.embedding
    return initial


def _chosen_layer(network: Any, layer: int, estimator: Any) -> tuple[Any, Any]:
    """A convolution and its normalisation."""
    layers = network.convolution.layers
    if not len(layers):
        raise ValueError(
            f"This {type(estimator).__name__} was fitted without convolutions, so it has no filters. Fit it with "
            "`filters`, such as filters=16, or take CNNLSTMRegressor or CNNLSTMClassifier."
        )
    if layer not in range(1, len(layers) + 1):
        raise ValueError(f"layer must be a number from 1 to {len(layers)}, the number of convolutions, got {layer!r}.")
    return layers[layer - 1], network.convolution.norms[layer - 1]


def _input_names(estimator: Any, network: Any) -> list[Any]:
    """Names of what the first convolution reads: of the features, or their positions."""
    a = network.architecture
    if a.n_tokens:
        return [f"embedding {number}" for number in range(a.embedding_dim)]
    names: list[Any] = feature_names(estimator, a.n_features) or list(range(a.n_features))
    return [*names, *(f"{name} is missing" for name in names)] if a.flag_missing else names
