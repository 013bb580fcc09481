"""Gates and states of the recurrent layers at every step."""

from typing import Any

import pandas as pd
import torch
from torch import Tensor

from sklrnn.inspection.fitted_network import FittedNetwork
from sklrnn.inspection.recorded_run import RecordedCell, in_order_of_time, record_cells


def gates(est: Any, X: Any) -> pd.DataFrame:
    """Read sequences and give the value of every gate at every step.

    The equations of the cell are computed in double precision with the fitted weights. A gate of 0 is shut, one of 1
    is open; the candidate is what may enter the state. A simple RNN has no gates, so its state is given.

    Parameters
    ----------
    est : estimator
        A fitted regressor or classifier, a pipeline that ends with one, or a search over them.
    X : array-like of shape (sample, time) or (sample, time, feature), or list of (time_i, feature) arrays
        Sequences, or what the pipeline takes.

    Returns
    -------
    gates : DataFrame
        A row for each ``(sample, time)``, and a column for each ``(layer, direction, gate, unit)``. Samples have the
        names of the rows of X if X is a table with one row for each; layers are counted from 1, as in ``summary``.
        With `pool_size` a step is named by the newest step of X in it.

    See Also
    --------
    sklrnn.inspection.GateDisplay : Draws them.
    sklrnn.inspection.cell_states : The states that the gates act on.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn import LSTMRegressor
    >>> from sklrnn.inspection import gates
    >>> X = np.random.default_rng(0).normal(size=(100, 6))
    >>> model = LSTMRegressor(units=8, max_epochs=5, random_state=0).fit(X, X.sum(axis=1))
    >>> table = gates(model, X[:2])
    >>> table.columns.unique("gate").tolist()
    ['input', 'forget', 'candidate', 'output']
    >>> forget = table.loc[0, (1, "forward", "forget")]  # of the first sample
    >>> forget.shape  # (time, unit)
    (6, 8)
    """
    return _read(est, X, "gate", with_gates=True, blocks_of=RecordedCell.gate_blocks)


def cell_states(est: Any, X: Any) -> pd.DataFrame:
    """Read sequences and give every part of the state after every step: of an LSTM the cell state beside the hidden.

    Parameters
    ----------
    est : estimator
        A fitted regressor or classifier, a pipeline that ends with one, or a search over them.
    X : array-like of shape (sample, time) or (sample, time, feature), or list of (time_i, feature) arrays
        Sequences, or what the pipeline takes.

    Returns
    -------
    states : DataFrame
        A row for each ``(sample, time)``, and a column for each ``(layer, direction, state, unit)``. The state is
        ``"hidden"``, for an LSTM also ``"cell"``, for an sLSTM also ``"normalizer"``.

    See Also
    --------
    gates : The gates that decide on the state.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn import LSTMRegressor
    >>> from sklrnn.inspection import cell_states
    >>> X = np.random.default_rng(0).normal(size=(100, 6))
    >>> model = LSTMRegressor(units=8, max_epochs=5, random_state=0).fit(X, X.sum(axis=1))
    >>> table = cell_states(model, X[:2])
    >>> hidden = table.loc[0, (1, "forward", "hidden")]
    >>> np.allclose(hidden, model.hidden_states(X[:2])[0], atol=1e-5)
    True
    """
    return _read(est, X, "state", with_gates=False, blocks_of=RecordedCell.state_blocks)


def _read(est: Any, X: Any, kind: str, *, with_gates: bool, blocks_of: Any) -> pd.DataFrame:
    fitted = FittedNetwork.of(est, X)
    network = fitted.network()
    recorded = record_cells(network, with_gates=with_gates)
    x, lengths = fitted.tensors()
    is_stateful = network.architecture.stateful  # the samples are segments of one sequence
    with torch.no_grad():
        network.encode(x, lengths=lengths, n_streams=1 if is_stateful else None)
    lengths = network.convolution.lengths_after(lengths)
    blocks: dict[tuple[Any, ...], Tensor] = {
        (*place, name): in_order_of_time(block, place[1], lengths, n_segments=len(x) if is_stateful else None)
        for place, cell in recorded.items()
        for name, block in blocks_of(cell).items()
    }
    return fitted.table(blocks, ["layer", "direction", kind, "unit"], network.convolution.pool_size)
