"""Nodes and constants of an ONNX graph, written one operator after the other."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
# The name of a tensor in the graph, or an array that becomes a constant.
Operand = str | Array

# Operators mean the same from this version on; skl2onnx puts our nodes beside its own, of any later one.
OPSET, ML_OPSET, IR_VERSION = 18, 3, 8
ML_DOMAIN = "ai.onnx.ml"


def import_onnx() -> Any:
    """The package onnx, which only an export needs."""
    try:
        import onnx
    except ImportError as error:
        raise ModuleNotFoundError(
            'An export needs the package onnx, which is not installed. Run: pip install "sklrnn[onnx]".'
        ) from error
    return onnx


class Graph:
    """A graph under construction. ``dtype`` is the precision of X, in which all but recurrent layers compute."""

    def __init__(self, dtype: Any, prefix: str = "") -> None:
        self._onnx = import_onnx()
        self.dtype = np.dtype(dtype)
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._prefix = prefix
        self._n_names = 0

    def name(self, word: str) -> str:
        """A name that no other tensor has."""
        self._n_names += 1
        return f"{self._prefix}{word.lower()}_{self._n_names}"

    def constant(self, value: Any, dtype: Any = None) -> str:
        name = self.name("constant")
        array = np.asarray(value, dtype=dtype)
        self.constants.append(
            self._onnx.numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape), name)
        )
        return name

    def add(self, operator: str, *inputs: Operand, domain: str = "", **attributes: Any) -> str:
        """Add an operator with one output, and give the name of this."""
        return self.add_all(operator, *inputs, n_outputs=1, domain=domain, **attributes)[0]

    def add_all(
        self, operator: str, *inputs: Operand, n_outputs: int, domain: str = "", **attributes: Any
    ) -> list[str]:
        """Add an operator with several outputs."""
        operands = [one if isinstance(one, str) else self.constant(one) for one in inputs]
        outputs = [self.name(operator) for _ in range(n_outputs)]
        node = self._onnx.helper.make_node(
            operator, operands, outputs, name=self.name("node"), domain=domain, **attributes
        )
        self.nodes.append(node)
        return outputs

    def rename(self, result: str, name: str) -> None:
        """Show a result under a name that others chose."""
        self.nodes.append(self._onnx.helper.make_node("Identity", [result], [name], name=self.name("node")))

    # -- words for what several operators do --------------------------------------------------------------------------

    def cast(self, x: str, dtype: Any) -> str:
        return self.add("Cast", x, to=self.tensor_type(dtype))

    def tensor_type(self, dtype: Any) -> int:
        number: int = self._onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return number

    def value(self, number: float, dtype: Any = None) -> Array:
        """A number in the precision of the graph."""
        return np.array(number, dtype=dtype or self.dtype)

    def concat(self, parts: Sequence[Operand], axis: int) -> str:
        return self.add("Concat", *parts, axis=axis) if len(parts) > 1 else self.add("Identity", *parts)

    def slice(self, x: str, start: int, stop: int, axis: int) -> str:
        return self.add("Slice", x, *(np.array([number]) for number in (start, stop, axis)))

    def take(self, x: str, position: int, axis: int) -> str:
        """One position of an axis, which falls away."""
        return self.add("Gather", x, np.array(position), axis=axis)

    def unsqueeze(self, x: str, axis: int) -> str:
        return self.add("Unsqueeze", x, np.array([axis]))

    def squeeze(self, x: str, axis: int) -> str:
        return self.add("Squeeze", x, np.array([axis]))

    def reshape(self, x: str, *shape: int) -> str:
        """A zero keeps the length of its axis, a -1 follows from the others."""
        return self.add("Reshape", x, np.array(shape))

    def length(self, x: str, axis: int) -> str:
        """The length of an axis, as a tensor with one entry."""
        return self.add("Shape", x, start=axis, end=axis + 1)

    def zeros(self, shape: Sequence[Operand], dtype: Any) -> str:
        """Zeros whose shape is concatenated from tensors with one entry."""
        zero = self._onnx.numpy_helper.from_array(np.zeros(1, dtype=dtype))
        return self.add("ConstantOfShape", self.concat(shape, axis=0), value=zero)

    def gather_windows(self, padded: str, n_windows: str, offsets: Array, axis: int) -> str:
        """Windows of an axis, which becomes two: that of the windows, and that of the offsets within each."""
        first = self.add("Range", np.array(0), self.squeeze(n_windows, 0), np.array(1))
        places = self.add("Add", self.unsqueeze(first, 1), offsets[np.newaxis])
        return self.add("Gather", padded, places, axis=axis)

    def linear(self, x: str, weight: Array, bias: Array | None, dtype: Any = None) -> str:
        """``x @ weight.T + bias`` over the last axis."""
        dtype = dtype or self.dtype
        product = self.add("MatMul", x, weight.T.astype(dtype))
        return product if bias is None else self.add("Add", product, bias.astype(dtype))

    def scan(self, body: Any, states: Sequence[str], x: str, *, reverse: bool) -> list[str]:
        """Run a graph for each entry of the first axis of ``x``: the last states, then the outputs of all steps."""
        directions = [int(reverse)]
        return self.add_all(
            "Scan",
            *states,
            x,
            n_outputs=len(states) + 1,
            body=body,
            num_scan_inputs=1,
            scan_input_directions=directions,
            scan_output_directions=directions,
        )

    def as_body(self, inputs: Sequence[str], outputs: Sequence[str]) -> Any:
        """This graph as what another one runs at each step."""
        make, kind = self._onnx.helper.make_tensor_value_info, self.tensor_type(self.dtype)
        shown = [[make(name, kind, None) for name in names] for names in (inputs, outputs)]
        return self._onnx.helper.make_graph(self.nodes, "step", *shown, initializer=self.constants)
