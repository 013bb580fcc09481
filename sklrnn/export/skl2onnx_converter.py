"""The estimators and transformers of the package for skl2onnx, so that its ``to_onnx`` converts their pipelines."""

from typing import Any

import numpy as np

from sklrnn.estimators import named_classifiers, named_regressors
from sklrnn.export.graph import ML_DOMAIN, ML_OPSET, OPSET, Graph
from sklrnn.export.onnx_model import predictions_of
from sklrnn.export.steps import apply_step
from sklrnn.preprocessing.sequence_scaler import SequenceScaler
from sklrnn.preprocessing.sliding_window import SlidingWindow

__all__ = ["register_with_skl2onnx"]

_KINDS = ("SimpleRNN", "GRU", "LSTM", "CNNLSTM", "Recurrent")


def register_with_skl2onnx() -> None:
    """Let ``skl2onnx.to_onnx`` convert the estimators and transformers of this package, in pipelines too.

    Call it once in a process. It needs the package ``skl2onnx``, and of its ``target_opset`` at least 18. Give
    ``skl2onnx.to_onnx`` the ``initial_types``, as it takes any X for a table otherwise.

    See Also
    --------
    sklrnn.export.to_onnx : Export without skl2onnx.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklrnn import GRURegressor, SequenceScaler
    >>> from sklrnn.export import register_with_skl2onnx
    >>> X = np.random.default_rng(0).normal(size=(60, 8, 2))
    >>> model = make_pipeline(SequenceScaler(), GRURegressor(units=4, max_epochs=2, random_state=0))
    >>> register_with_skl2onnx()
    >>> from skl2onnx import to_onnx
    >>> from skl2onnx.common.data_types import DoubleTensorType
    >>> exported = to_onnx(
    ...     model.fit(X, X[:, -1, 0]), initial_types=[("X", DoubleTensorType([None, None, 2]))]
    ... )
    """
    try:
        from skl2onnx import update_registered_converter
    except ImportError as error:
        raise ModuleNotFoundError(
            "register_with_skl2onnx needs the package skl2onnx, which is not installed. Run: pip install skl2onnx, or "
            "use sklrnn.export.to_onnx, which needs onnx only."
        ) from error
    for kind in _KINDS:
        regressor = getattr(named_regressors, f"{kind}Regressor")
        update_registered_converter(regressor, f"Sklrnn{kind}Regressor", _set_regressor_type, _convert_regressor)
        update_registered_converter(
            getattr(named_classifiers, f"{kind}Classifier"),
            f"Sklrnn{kind}Classifier",
            _set_classifier_types,
            _convert_classifier,
            options={"zipmap": [True, False, "columns"], "nocl": [True, False], "output_class_labels": [False, True]},
        )
    for transformer in (SlidingWindow, SequenceScaler):
        update_registered_converter(transformer, f"Sklrnn{transformer.__name__}", _set_step_type, _convert_step)


def _precision(operator: Any) -> Any:
    """That of the input of an operator; float64 for integers."""
    kind = type(operator.inputs[0].type).__name__
    return np.dtype(np.float32 if kind.startswith("Float") else np.float64)


def _tensor_type(dtype: Any, shape: list[int | None]) -> Any:
    from skl2onnx.common import data_types

    kinds = {"float32": data_types.FloatTensorType, "float64": data_types.DoubleTensorType}
    return kinds[np.dtype(dtype).name](shape)


def _set_regressor_type(operator: Any) -> None:
    regressor = operator.raw_operator
    dtype = np.result_type(_precision(operator), regressor._y_dtype)
    operator.outputs[0].type = _tensor_type(dtype, [None] * _n_axes(regressor, regressor._y_ndim))


def _set_classifier_types(operator: Any) -> None:
    from skl2onnx.common.data_types import BooleanTensorType, DoubleTensorType, Int64TensorType, StringTensorType

    classifier = operator.raw_operator
    kind = np.asarray(classifier.classes_).dtype.kind
    shape = [None] * _n_axes(classifier, 1)
    known = {"i": Int64TensorType, "u": Int64TensorType, "b": BooleanTensorType, "f": DoubleTensorType}
    operator.outputs[0].type = known.get(kind, StringTensorType)(shape)
    operator.outputs[1].type = _tensor_type(_precision(operator), [*shape, len(classifier.classes_)])


def _n_axes(estimator: Any, without_steps: int) -> int:
    return without_steps + int(estimator.model_.architecture.return_sequences)


def _set_step_type(operator: Any) -> None:
    step, given = operator.raw_operator, operator.inputs[0].type
    shape = list(given.shape)
    if isinstance(step, SlidingWindow):
        windows = [step.window_length, step.n_features_in_]
        shape = [None, int(np.prod(windows))] if step.flatten else [None, *windows]
    operator.outputs[0].type = _tensor_type(_precision(operator), shape)


def _convert_regressor(scope: Any, operator: Any, container: Any) -> None:
    graph, x = _start(scope, operator, container)
    _finish(graph, container, operator, [predictions_of(graph, operator.raw_operator, x)["prediction"]])


def _convert_classifier(scope: Any, operator: Any, container: Any) -> None:
    graph, x = _start(scope, operator, container)
    _finish(graph, container, operator, list(predictions_of(graph, operator.raw_operator, x).values()))


def _convert_step(scope: Any, operator: Any, container: Any) -> None:
    graph, x = _start(scope, operator, container)
    _finish(graph, container, operator, [apply_step(graph, operator.raw_operator, x)])


def _start(scope: Any, operator: Any, container: Any) -> tuple[Graph, str]:
    """A graph in the precision of the input, whose names no other converter uses, and its X."""
    name = type(operator.raw_operator).__name__
    if container.target_opset < OPSET:
        raise RuntimeError(f"{name} needs target_opset={OPSET} or higher, got {container.target_opset}.")
    graph = Graph(_precision(operator), prefix=scope.get_unique_variable_name(name) + "_")
    x, is_token = operator.inputs[0].full_name, getattr(operator.raw_operator, "embedding_dim", None) is not None
    return graph, graph.cast(x, np.int64 if is_token else graph.dtype)


def _finish(graph: Graph, container: Any, operator: Any, results: list[str]) -> None:
    """Put the nodes beside those of skl2onnx, which wants names of its own for the results."""
    for result, output in zip(results, operator.outputs, strict=True):
        graph.rename(result, output.full_name)
    container.nodes.extend(graph.nodes)
    container.initializers.extend(graph.constants)
    container.node_domain_version_pair_sets |= {("", OPSET), (ML_DOMAIN, ML_OPSET)}
