"""The network of an estimator as ONNX operators, for whole sequences."""

import numpy as np

from sklrnn.export.convolution import convolve
from sklrnn.export.front import read_features
from sklrnn.export.graph import Graph
from sklrnn.export.recurrent import run_stack
from sklrnn.nn.network import Network
from sklrnn.nn.readout import AttentionState, MaxState, MeanState, Readout


def run_network(graph: Graph, network: Network, x: str) -> str:
    """Raw outputs, (sample, output) or (sample, time, output), of sequences (sample, time, feature)."""
    x = convolve(graph, network.convolution, read_features(graph, network, x))
    skipped = None if network.skip is None else graph.add("ReduceMean", x, np.array([1]), keepdims=0)
    if network.architecture.stateful:
        states, final = _run_as_one_stream(graph, network, x)
    else:
        states, final, _ = run_stack(graph, network.recurrent, graph.add("Transpose", x, perm=[1, 0, 2]))
    if network.return_sequences:
        return apply_head(graph, network, graph.add("Transpose", states, perm=[1, 0, 2]))
    read = _read_out(graph, network.readout, states, final)
    return apply_head(graph, network, read if skipped is None else graph.concat([read, skipped], axis=1))


def apply_head(graph: Graph, network: Network, read: str) -> str:
    """Raw outputs, in the precision of X."""
    weight, bias = (each.detach().cpu().numpy() for each in (network.head.weight, network.head.bias))
    return graph.linear(read, weight, bias)


def _run_as_one_stream(graph: Graph, network: Network, x: str) -> tuple[str, str]:
    """States of segments (sample, time, feature), each of which goes on from the one before."""
    n_samples, n_steps = graph.length(x, 0), graph.length(x, 1)
    one, rest = np.array([1]), np.array([-1])
    stream = graph.add("Reshape", x, graph.concat([rest, one, graph.length(x, 2)], axis=0))
    states, _, _ = run_stack(graph, network.recurrent, stream)
    shape = graph.concat([n_samples, n_steps, np.array([network.recurrent.width])], axis=0)
    states = graph.add("Transpose", graph.add("Reshape", states, shape), perm=[1, 0, 2])
    return states, graph.take(states, -1, axis=0)


def _read_out(graph: Graph, readout: Readout, states: str, final: str) -> str:
    """One vector for each sequence, (sample, unit), from the states (time, sample, unit)."""
    time = np.array([0])
    if isinstance(readout, MeanState):
        return graph.add("ReduceMean", states, time, keepdims=0)
    if isinstance(readout, MaxState):
        return graph.add("ReduceMax", states, time, keepdims=0)
    if isinstance(readout, AttentionState):
        weights = graph.add("Softmax", score_states(graph, readout, states), axis=0)
        return graph.add("ReduceSum", graph.add("Mul", states, weights), time, keepdims=0)
    return final


def score_states(graph: Graph, readout: AttentionState, states: str) -> str:
    """The learnt score of each state, with an axis of one entry instead of its units."""
    return graph.linear(states, readout.weight.detach().cpu().numpy()[np.newaxis], None)
