"""Cells as ONNX operators: RNN, GRU and LSTM where these compute the same, otherwise a step in a Scan.

Tensors are (time, sample, feature).
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from sklrnn.export.graph import Graph, Operand
from sklrnn.nn.cells import GRU, LSTM, SLSTM, MinimalGRU, PeepholeLSTM, SimpleRNN, TextbookGRU

Array = NDArray[Any]

# The order of the gates of ONNX, by their place in ours.
_GRU_ORDER = (1, 0, 2)  # update, reset, candidate
_LSTM_ORDER = (0, 3, 1, 2)  # input, output, forget, candidate
_PEEPHOLE_ORDER = (0, 2, 1)  # input, output, forget


def run_cell(
    graph: Graph, cell: nn.Module, x: str, states: Sequence[str] | None, *, precision: Any, reverse: bool = False
) -> tuple[str, list[str]]:
    """The hidden states of all steps, (time, sample, unit), and the parts of the last state, (sample, unit) each."""
    kind = type(cell)
    if kind in _STEPS:
        return _scan(graph, cell, x, states, precision=precision, reverse=reverse)
    make = _OPERATORS.get(kind)
    if make is None or not _is_single_layer(cell):
        raise ValueError(
            f"to_onnx knows the cells of this package and torch's RNN, GRU and LSTM with one layer and one direction, "
            f'got cell={kind.__name__}. Fit with a cell by its name, such as cell="gru", or export the torch module '
            "with torch.export.export(estimator.module_, ...)."
        )
    operator, order, attributes = make(cell)
    outputs = graph.add_all(
        operator,
        x,
        *_weights(cell, order),
        *_initial_states(graph, cell, x, states),
        n_outputs=3 if operator == "LSTM" else 2,
        direction="reverse" if reverse else "forward",
        hidden_size=cell.hidden_size,
        **attributes,
    )
    return graph.squeeze(outputs[0], 1), [graph.squeeze(last, 0) for last in outputs[1:]]


def _initial_states(graph: Graph, cell: Any, x: str, states: Sequence[str] | None) -> list[Operand]:
    """The inputs of an operator behind its weights: lengths, states, and the peepholes behind these.

    Any of them could be left out by an empty name, which skl2onnx does not know.
    """
    peepholes = getattr(cell, "peephole_l0", None)
    if states is None and peepholes is None:
        return []
    lengths = graph.add("Expand", graph.cast(graph.length(x, 0), np.int32), graph.length(x, 1))
    states = _zero_states(graph, cell, x, np.float32) if states is None else states
    first: list[Operand] = [lengths, *(graph.unsqueeze(state, 0) for state in states)]
    return first if peepholes is None else [*first, _numpy(peepholes)[list(_PEEPHOLE_ORDER)].reshape(1, -1)]


def _zero_states(graph: Graph, cell: Any, x: str, precision: Any) -> list[str]:
    """What each part of the state begins with."""
    return [graph.zeros([graph.length(x, 1), np.array([cell.hidden_size])], precision)] * n_states(cell)


def computes_in_double(cell: nn.Module) -> bool:
    """Whether ONNX runtimes run the cell in double precision; they have RNN, GRU and LSTM in single precision only."""
    return type(cell) in _STEPS


def n_states(cell: nn.Module) -> int:
    """The parts of the state of a cell."""
    return 2 if isinstance(cell, nn.LSTM) else int(getattr(cell, "n_states", 1))


def _is_single_layer(cell: Any) -> bool:
    if not isinstance(cell, nn.RNNBase):
        return True
    return cell.num_layers == 1 and not cell.bidirectional and not cell.proj_size and cell.bias


def _rnn(cell: Any) -> tuple[str, tuple[int, ...], dict[str, Any]]:
    return "RNN", (0,), {"activations": ["Tanh" if cell.nonlinearity == "tanh" else "Relu"]}


def _gru(cell: Any) -> tuple[str, tuple[int, ...], dict[str, Any]]:
    return "GRU", _GRU_ORDER, {"linear_before_reset": int(not isinstance(cell, TextbookGRU))}


def _lstm(cell: Any) -> tuple[str, tuple[int, ...], dict[str, Any]]:
    return "LSTM", _LSTM_ORDER, {}


_OPERATORS: dict[type[nn.Module], Callable[[Any], tuple[str, tuple[int, ...], dict[str, Any]]]] = {
    **dict.fromkeys((SimpleRNN, nn.RNN), _rnn),
    **dict.fromkeys((GRU, TextbookGRU, nn.GRU), _gru),
    **dict.fromkeys((LSTM, PeepholeLSTM, nn.LSTM), _lstm),
}


def _weights(cell: Any, order: tuple[int, ...]) -> list[Array]:
    """Input weights, recurrent weights and biases, with one direction in front and gates in the order of ONNX."""
    recurrent_bias = getattr(cell, "bias_hh_l0", None)
    bias = _numpy(cell.bias_ih_l0)
    biases = [bias, np.zeros_like(bias) if recurrent_bias is None else _numpy(recurrent_bias)]
    reordered = [_reorder(each, order) for each in (_numpy(cell.weight_ih_l0), _numpy(cell.weight_hh_l0), *biases)]
    return [reordered[0][np.newaxis], reordered[1][np.newaxis], np.concatenate(reordered[2:])[np.newaxis]]


def _reorder(weight: Array, order: tuple[int, ...]) -> Array:
    blocks = np.split(weight, len(order))
    return np.concatenate([blocks[place] for place in order])


def _numpy(weight: Any) -> Array:
    array: Array = weight.detach().cpu().numpy().astype(np.float32)
    return array


def _scan(
    graph: Graph, cell: Any, x: str, states: Sequence[str] | None, *, precision: Any, reverse: bool
) -> tuple[str, list[str]]:
    weights, bias = _numpy(cell.weight_ih_l0), _numpy(cell.bias_ih_l0)
    inputs = graph.linear(x, weights, bias, precision)
    if states is None:
        states = _zero_states(graph, cell, x, precision)
    body = Graph(precision, prefix=graph.name("step") + "_")
    before, now = [body.name("state") for _ in states], body.name("inputs")
    sums = body.add("Add", now, body.add("MatMul", before[0], _numpy(cell.weight_hh_l0).T.astype(precision)))
    gates = body.add_all("Split", sums, n_outputs=len(cell.gates), axis=1, num_outputs=len(cell.gates))
    after = _STEPS[type(cell)](body, gates, before)
    shown = body.add("Identity", after[0])
    *last, all_states = graph.scan(body.as_body([*before, now], [*after, shown]), states, inputs, reverse=reverse)
    return all_states, last


def _minimal_gru_step(graph: Graph, gates: list[str], states: list[str]) -> list[str]:
    update, candidate = graph.add("Sigmoid", gates[0]), graph.add("Tanh", gates[1])
    change = graph.add("Mul", update, graph.add("Sub", candidate, states[0]))
    return [graph.add("Add", states[0], change)]


def _slstm_step(graph: Graph, gates: list[str], states: list[str]) -> list[str]:
    (input_, forget, candidate, output), (_, c, n, m) = gates, states
    kept = graph.add("Sub", m, graph.add("Softplus", graph.add("Neg", forget)))
    new_m = graph.add("Max", kept, input_)
    i, f = (graph.add("Exp", graph.add("Sub", each, new_m)) for each in (input_, kept))
    c = graph.add("Add", graph.add("Mul", f, c), graph.add("Mul", i, graph.add("Tanh", candidate)))
    n = graph.add("Add", graph.add("Mul", f, n), i)
    h = graph.add("Mul", graph.add("Sigmoid", output), graph.add("Div", c, n))
    return [h, c, n, new_m]


_STEPS: dict[type[nn.Module], Callable[[Graph, list[str], list[str]], list[str]]] = {
    MinimalGRU: _minimal_gru_step,
    SLSTM: _slstm_step,
}
