"""Pictures of fitted networks."""

from typing import Any

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sklrnn.drawing.picture import NetworkPicture, PictureKind

# Where searches, adapters and the pipelines of sktime keep the fitted estimator that predicts.
_INSIDE = ("best_estimator_", "best_forecaster_", "estimator_", "regressor_", "forecaster_")


def draw_network(est: Any, *, kind: PictureKind = "layers") -> NetworkPicture:
    """Draw the network of a fitted estimator: its layers, or what it computes step by step.

    The picture is SVG, drawn without other software. Notebooks also show both pictures behind the parameters of any
    fitted estimator.

    Parameters
    ----------
    est : estimator
        A fitted regressor, classifier, generator, translator, imputer or forecaster, a pipeline that ends with one, or
        a search over them. Of the networks of a forecaster, which all have the same layers, one is drawn.
    kind : {"layers", "unrolled"}, default="layers"
        "layers" draws a box for each layer, with the shape of its output and its number of trainable parameters, as in
        ``summary``. "unrolled" draws the network unrolled over time, from the input of each step through the cells,
        which pass on their states, to the head.

    Returns
    -------
    picture : NetworkPicture
        A notebook shows it. ``picture.save("network.svg")`` writes it to a file, and ``picture.svg()`` gives its text.

    See Also
    --------
    sklrnn.GRURegressor.summary : The same layers as a table, with all weights.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn import GRURegressor
    >>> from sklrnn.inspection import draw_network
    >>> X = np.random.default_rng(0).normal(size=(100, 20))
    >>> model = GRURegressor(units=8, max_epochs=1, random_state=0).fit(X, X[:, -1])
    >>> draw_network(model, kind="unrolled")
    <GRURegressor unrolled over time: show it in a notebook, or write it with save('network.svg')>
    >>> "273 trainable parameters" in draw_network(model).svg()
    True
    """
    if kind not in ("layers", "unrolled"):
        raise ValueError(f'kind must be "layers" or "unrolled", got {kind!r}.')
    shown = _find(est)
    shown._check_network("draw_network")
    return NetworkPicture(shown._fitted_networks()[0].layers(), name=type(shown).__name__, kind=kind)


def _find(est: Any) -> Any:
    """The estimator that holds networks: ``est``, that within a search or an adapter, or the last of a pipeline."""
    found = est
    while not hasattr(found, "_fitted_networks"):
        inner = next((name for name in _INSIDE if hasattr(found, name)), None)
        if inner is not None:
            found = getattr(found, inner)
        elif isinstance(found, Pipeline):
            found = found[-1]
        else:
            if hasattr(found, "fit") and hasattr(found, "__sklearn_tags__"):
                check_is_fitted(found)
            raise TypeError(
                "draw_network draws networks of fitted estimators of sklrnn, alone, as the last step of a Pipeline, or "
                f"as the best estimator of a search; got {est!r}."
            )
    return found
