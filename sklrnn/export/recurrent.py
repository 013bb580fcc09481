"""Stacks of recurrent layers as ONNX operators; tensors are (time, sample, feature)."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from sklrnn.export.cells import computes_in_double, run_cell
from sklrnn.export.graph import Graph
from sklrnn.nn.layers import LARGEST
from sklrnn.nn.recurrent import RecurrentLayer, RecurrentStack


def precision_of(graph: Graph, stack: RecurrentStack) -> Any:
    """The precision of the recurrent layers: that of X, where runtimes have all cells in it."""
    in_double = all(computes_in_double(layer.forwards) for layer in stack)  # type: ignore[arg-type]
    return graph.dtype if in_double else np.dtype(np.float32)


def run_stack(
    graph: Graph, stack: RecurrentStack, x: str, states: Sequence[Sequence[str]] | None = None
) -> tuple[str, str, list[list[str]]]:
    """The last layer's states of all steps, its final one, both in the precision of X, and the state of each layer."""
    precision = precision_of(graph, stack)
    if precision != graph.dtype:
        # A size that float32 does not know becomes one from which sums stay finite.
        x = graph.cast(graph.add("Clip", x, graph.value(-LARGEST), graph.value(LARGEST)), precision)
    final, new_states = "", []
    for position, layer in enumerate(stack):
        own = None if states is None else states[position]
        x, final, last = _run_layer(graph, layer, x, own, precision)  # type: ignore[arg-type]
        new_states.append(last)
    return graph.cast(x, graph.dtype), graph.cast(final, graph.dtype), new_states


def _run_layer(
    graph: Graph, layer: RecurrentLayer, x: str, states: Sequence[str] | None, precision: Any
) -> tuple[str, str, list[str]]:
    layer_input = x
    x, last = run_cell(graph, layer.forwards, x, states, precision=precision)
    if layer.backwards is not None:
        backwards, _ = run_cell(graph, layer.backwards, layer_input, None, precision=precision, reverse=True)
        x = graph.concat([x, backwards], axis=2)
    if layer.is_residual:
        x = graph.add("Add", x, layer_input)
    final = graph.take(x, -1, axis=0)
    if layer.backwards is not None:
        # The backward cell ends at the first step: its final state lies there.
        at_start = graph.slice(graph.take(x, 0, axis=0), layer.units, 2 * layer.units, 1)
        final = graph.concat([graph.slice(final, 0, layer.units, 1), at_start], axis=1)
    return x, final, last
