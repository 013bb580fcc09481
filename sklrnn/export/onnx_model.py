"""``to_onnx``: a fitted estimator, or a pipeline that ends in one, as an ONNX model."""

import os
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sklrnn.estimators.base import RecurrentEstimator
from sklrnn.estimators.classifier import ClassifierTask
from sklrnn.estimators.regressor import RegressorTask, check_levels
from sklrnn.export.file_properties import file_properties
from sklrnn.export.graph import IR_VERSION, ML_DOMAIN, ML_OPSET, OPSET, Graph, import_onnx
from sklrnn.export.network import run_network
from sklrnn.export.predictions import predict_labels, predict_numbers
from sklrnn.export.steps import apply_step, check_scales_steps, fixes_columns
from sklrnn.export.stream_step import check_streamable, run_step, state_width
from sklrnn.preprocessing.sliding_window import SlidingWindow

__all__ = ["to_onnx"]

Array = NDArray[Any]
_Shape = list[str | int]


def to_onnx(
    estimator: Any,
    path: str | os.PathLike[str] | None = None,
    *,
    dtype: Literal["float32", "float64"] = "float64",
    quantiles: Any = None,
    streaming: bool = False,
) -> Any:
    """Export a fitted regressor or classifier, or a pipeline that ends in one, as an ONNX model.

    The model answers in the units of y, or with the labels of ``fit``, and may be given any number of samples and of
    time steps. It needs the package ``onnx``: ``pip install "sklrnn[onnx]"``.

    Parameters
    ----------
    estimator : estimator or Pipeline
        A fitted regressor or classifier of this package; in a pipeline `SlidingWindow`, `SequenceScaler` and the
        linear scalers of scikit-learn may stand in front of it.
    path : str or path-like, default=None
        A file to write the model to.
    dtype : {"float32", "float64"}, default="float64"
        The precision of the input ``X``, and of what is computed around the recurrent layers. Tokens of
        ``embedding_dim`` are int64 in any case.
    quantiles : sequence of float, default=None
        Levels for a second output of regressors: what ``predict_quantiles`` gives for them.
    streaming : bool, default=False
        Export one step of a stream: the inputs are ``X`` of shape (sample, feature), and ``state``, which begins with
        zeros; the outputs have ``new_state`` besides the predictions, as ``start_stream().step`` gives them.

    Returns
    -------
    model : onnx.ModelProto
        Its input is ``X``, in the form that ``fit`` saw. Its outputs are ``prediction``, and ``quantiles`` if asked
        for, or for a classifier ``label`` and ``probabilities``.

    See Also
    --------
    sklrnn.export.register_with_skl2onnx : Let skl2onnx convert pipelines with these estimators.

    Notes
    -----
    The model checks nothing: where ``predict`` refuses NaN it gives NaN, and it does not warn of values far outside
    of those of training. All sequences of a call are equally long; give those of another length in another call.

    The ``metadata_props`` of the file hold, as JSON, what the graph does not show: `sklrnn_version`, `estimator`,
    `stateful`, `missing`, and where there are any `n_timesteps`, `classes`, `quantiles`, `feature_names` and
    `window_span`, the number of rows that a window reaches over.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn import GRURegressor
    >>> from sklrnn.export import to_onnx
    >>> X = np.random.default_rng(0).normal(size=(60, 8, 2))
    >>> model = GRURegressor(units=4, max_epochs=2, random_state=0).fit(X, X[:, -1, 0])
    >>> exported = to_onnx(model)
    >>> [output.name for output in exported.graph.output]
    ['prediction']
    """
    if dtype not in ("float32", "float64"):
        raise ValueError(f'dtype must be "float32" or "float64", got {dtype!r}.')
    onnx = import_onnx()
    steps, last = _take_apart(estimator)
    levels = _check_quantiles(last, quantiles)
    if streaming:
        graph, inputs, outputs = _stream(steps, last, dtype, levels)
    else:
        graph, inputs, outputs = _whole_sequences(steps, last, dtype, levels)
    model = _assemble(onnx, graph, inputs, outputs, name=type(last).__name__)
    onnx.helper.set_model_props(model, file_properties(steps, last, levels))
    if path is not None:
        onnx.save(model, os.fspath(path))
    return model


def predictions_of(graph: Graph, estimator: Any, x: str, levels: Array | None = None) -> dict[str, str]:
    """The outputs of an estimator for its X."""
    sequences = _as_sequences(graph, estimator, x)
    raw = run_network(graph, estimator.module_, sequences)
    by_step = estimator.model_.architecture.return_sequences
    return _decode(graph, estimator, raw, sequences, levels, per_timestep=by_step)


def _take_apart(estimator: Any) -> tuple[list[Any], Any]:
    """The transformers of a pipeline, and the estimator at its end."""
    steps = [estimator]
    while isinstance(steps[-1], Pipeline):
        steps = [*steps[:-1], *(step for _, step in steps[-1].steps if step not in (None, "passthrough"))]
    *transformers, last = steps
    if not isinstance(last, RecurrentEstimator):
        hint = " Pass its best_estimator_." if hasattr(last, "best_estimator_") else ""
        raise TypeError(
            "to_onnx exports the regressors and classifiers of sklrnn, such as GRURegressor, and pipelines that end in "
            f"one, got {type(last).__name__}.{hint}"
        )
    check_is_fitted(last, "model_")
    return transformers, last


def _check_quantiles(estimator: Any, quantiles: Any) -> Array | None:
    if quantiles is None:
        return None
    if not isinstance(estimator, RegressorTask):
        raise ValueError(
            f"quantiles are an output of regressors, got quantiles={quantiles!r} for {type(estimator).__name__}. "
            "Leave quantiles out; classifiers give probabilities."
        )
    return check_levels(quantiles)


def _whole_sequences(steps: list[Any], estimator: Any, dtype: str, levels: Array | None) -> Any:
    # Tokens have no precision; predictions from them are in double.
    graph = Graph(np.float64 if estimator.model_.architecture.n_tokens else dtype)
    x = "X"
    for step in steps:
        x = apply_step(graph, step, x)
    outputs = predictions_of(graph, estimator, x, levels)
    return graph, {"X": (_input_type(estimator, dtype), _input_shape(steps, estimator))}, outputs


def _stream(steps: list[Any], estimator: Any, dtype: str, levels: Array | None) -> Any:
    check_streamable(estimator)
    for step in steps:
        check_scales_steps(step)
    graph = Graph(np.float64)
    is_number = not estimator.model_.architecture.n_tokens
    x = graph.cast("X", np.float64) if is_number else "X"
    for step in steps:
        x = apply_step(graph, step, x)
    raw, new_state = run_step(graph, estimator.module_, x, "state")
    inputs = {
        "X": (_input_type(estimator, dtype), ["sample", estimator.model_.architecture.n_features]),
        "state": (np.float64, ["sample", state_width(estimator.module_)]),
    }
    return graph, inputs, {**_decode(graph, estimator, raw, x, levels, per_timestep=False), "new_state": new_state}


def _decode(
    graph: Graph, estimator: Any, raw: str, x: str, levels: Array | None, *, per_timestep: bool
) -> dict[str, str]:
    if isinstance(estimator, ClassifierTask):
        return predict_labels(graph, estimator, raw)
    return predict_numbers(graph, estimator, raw, x, levels, per_timestep=per_timestep)


def _as_sequences(graph: Graph, estimator: Any, x: str) -> str:
    """X in the form of ``fit`` as (sample, time, feature)."""
    if _reads_tables(estimator):
        n_timesteps = estimator.n_timesteps
        if n_timesteps is None or estimator.embedding_dim is not None:
            return graph.unsqueeze(x, 2)
        return graph.reshape(x, 0, n_timesteps, estimator.model_.architecture.n_features)
    return x


def _reads_tables(estimator: Any) -> bool:
    return estimator.embedding_dim is not None or estimator._rank_in == 2


def _input_type(estimator: Any, dtype: str) -> Any:
    return np.dtype(np.int64 if estimator.model_.architecture.n_tokens else dtype)


def _input_shape(steps: list[Any], estimator: Any) -> _Shape:
    if any(isinstance(step, SlidingWindow) for step in steps):
        return ["row", steps[0].n_features_in_]
    if not _reads_tables(estimator):
        return ["sample", "time", estimator.n_features_in_]
    fixed = estimator.n_timesteps is not None or any(fixes_columns(step) for step in steps)
    return ["sample", estimator.n_features_in_ if fixed else "time"]


def _assemble(onnx: Any, graph: Graph, inputs: dict[str, Any], outputs: dict[str, str], name: str) -> Any:
    make = onnx.helper.make_tensor_value_info
    shown = [make(name, graph.tensor_type(kind), shape) for name, (kind, shape) in inputs.items()]
    for final, tensor in outputs.items():
        graph.rename(tensor, final)
    untyped = [onnx.ValueInfoProto(name=final) for final in outputs]
    domains = [onnx.helper.make_opsetid("", OPSET), onnx.helper.make_opsetid(ML_DOMAIN, ML_OPSET)]
    model = onnx.helper.make_model(
        onnx.helper.make_graph(graph.nodes, name, shown, untyped, initializer=graph.constants),
        opset_imports=domains,
        ir_version=IR_VERSION,
        producer_name="sklrnn",
    )
    # The types and shapes of the outputs follow from those of the operators.
    model = onnx.shape_inference.infer_shapes(model, strict_mode=True)
    onnx.checker.check_model(model)
    return model
