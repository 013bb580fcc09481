"""The learning curves of fitted networks as tables."""

from typing import Any

import numpy as np
import pandas as pd

from sklrnn.estimators.network_holder import NetworkHolder
from sklrnn.inspection.fitted_network import last_estimator
from sklrnn.training.curves import Curves


def training_curves(est: Any) -> pd.DataFrame:
    """Give the loss and the learning rate of every epoch, and the epoch whose weights predict.

    Parameters
    ----------
    est : estimator
        A fitted estimator that holds a network: a regressor, classifier, `SequenceGenerator`, `SequenceTranslator`,
        `RecurrentImputer` or forecaster, a pipeline that ends with one, or a search over them.

    Returns
    -------
    curves : DataFrame
        A row for each epoch, counted from 1; with a forecaster for each ``(network, epoch)``. The columns are
        ``training_loss``, with penalties (`l1`, `l2`), ``validation_loss``, NaN where nothing was held out,
        ``learning_rate``, that of the last step of the epoch, and ``is_best``, which marks the epoch whose weights the
        estimator has: that of the lowest validation loss, or without validation the last one.

    See Also
    --------
    TrainingCurveDisplay : A plot of the curves.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn import GRURegressor
    >>> from sklrnn.inspection import training_curves
    >>> X = np.random.default_rng(0).normal(size=(100, 10))
    >>> model = GRURegressor(units=8, max_epochs=5, early_stopping=True, random_state=0).fit(X, X[:, -1])
    >>> curves = training_curves(model)
    >>> curves.columns.tolist()
    ['training_loss', 'validation_loss', 'learning_rate', 'is_best']
    >>> curves["validation_loss"].idxmin() == curves.index[curves["is_best"]][0]
    True
    """
    last, _ = last_estimator(est)
    if isinstance(last, NetworkHolder):
        return _table(last.model_.curves)
    networks = getattr(last, "networks_", None)
    if not networks:
        raise TypeError(
            "Estimators and forecasters of sklrnn that hold a network have learning curves, alone, as the last step "
            f"of a Pipeline, or as the best of a search; got {last!r}."
        )
    return pd.concat(
        {number: _table(network.model.curves) for number, network in enumerate(networks)}, names=["network"]
    )


def _table(curves: Curves) -> pd.DataFrame:
    epochs = pd.RangeIndex(1, len(curves.loss) + 1, name="epoch")
    validation = curves.validation or ()
    not_validated = len(epochs) - len(validation)
    columns = {
        "training_loss": curves.loss,
        "validation_loss": np.array([np.nan] * not_validated + list(validation)),
        "learning_rate": curves.learning_rate,
        "is_best": epochs == curves.best_epoch,
    }
    return pd.DataFrame(columns, index=epochs)
