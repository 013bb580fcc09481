"""The first layer of a network as ONNX operators: tokens to vectors, or features to scaled features.

Tensors are (sample, time, feature).
"""

import numpy as np

from sklrnn.export.graph import ML_DOMAIN, Graph
from sklrnn.nn.layers import Standardise, TokenEmbedding
from sklrnn.nn.network import Network
from sklrnn.nn.window_scale import LEAST_RELATIVE_SPREAD, StandardiseWindow


def read_features(graph: Graph, network: Network, x: str) -> str:
    """What the network reads of the sequences: (sample, time, width), in the precision of the graph."""
    if network.architecture.n_tokens:
        return _embed(graph, network.embedding, x)
    layer = network.standardise
    return _by_window(graph, layer, x) if isinstance(layer, StandardiseWindow) else _standardise(graph, layer, x)


def _embed(graph: Graph, layer: TokenEmbedding, x: str) -> str:
    known = layer.known.cpu().numpy()
    rows = graph.add(
        "LabelEncoder",
        graph.squeeze(x, 2),
        domain=ML_DOMAIN,
        keys_int64s=known.tolist(),
        values_int64s=list(range(len(known))),
        default_int64=len(known),
    )
    return graph.add("Gather", layer.weight.detach().cpu().numpy().astype(graph.dtype), rows, axis=0)


def _standardise(graph: Graph, layer: Standardise, x: str) -> str:
    mean, spread = (each.cpu().numpy().astype(graph.dtype) for each in (layer.mean, layer.spread))
    scaled = graph.add("Div", graph.add("Sub", x, mean), spread)
    if not layer.flag_missing:
        return scaled
    missing = graph.add("IsNaN", scaled)
    filled = graph.add("Where", missing, graph.value(0.0), scaled)
    return graph.concat([filled, graph.cast(missing, graph.dtype)], axis=2)


def _by_window(graph: Graph, layer: StandardiseWindow, x: str) -> str:
    level, mean, spread = measure_windows(graph, layer, x)
    varies = layer.typical.cpu().numpy() > 0
    level = graph.add("Where", varies, level, layer.mean.cpu().numpy().astype(graph.dtype))
    scaled = graph.add("Div", graph.add("Sub", x, level), spread)
    if not layer.flag_missing:
        return scaled
    missing = graph.add("IsNaN", x)
    of_mean = graph.add("Div", graph.add("Sub", mean, level), spread)
    filled = graph.add("Where", missing, of_mean, scaled)
    return graph.concat([filled, graph.cast(missing, graph.dtype)], axis=2)


def measure_windows(graph: Graph, layer: StandardiseWindow, x: str) -> tuple[str, str, str]:
    """Level, mean and spread of each window and feature, (sample, 1, feature): see ``StandardiseWindow.measure``."""
    typical, mean_of_all, spread_of_all = (
        each.cpu().numpy().astype(graph.dtype) for each in (layer.typical, layer.mean, layer.spread)
    )
    known = graph.add("Not", graph.add("IsNaN", x)) if layer.flag_missing else None
    level, mean, spread, n_known = _measure(graph, x, known)
    spread = graph.add("Where", graph.add("Greater", n_known, np.array(1)), spread, typical)
    if known is not None:
        empty = graph.add("Equal", n_known, np.array(0))
        level = graph.add("Where", empty, mean_of_all, level)
        mean = graph.add("Where", empty, level, mean)
    spread = graph.add("Max", spread, (layer.typical.cpu().numpy() * LEAST_RELATIVE_SPREAD).astype(graph.dtype))
    return level, mean, graph.add("Where", typical > 0, spread, spread_of_all)


def _measure(graph: Graph, x: str, known: str | None) -> tuple[str, str, str, str]:
    """Last value, mean, standard deviation and number of the known values of each window."""
    time, zero = np.array([1]), graph.value(0.0)
    if known is None:
        n_known = graph.length(x, 1)
        last = graph.slice(x, -1, np.iinfo(np.int64).max, 1)
        changes = graph.add("Sub", x, last)
    else:
        n_known = graph.add("ReduceSum", graph.cast(known, np.int64), time, keepdims=1)
        steps = graph.add("Range", np.array(0), graph.squeeze(graph.length(x, 1), 0), np.array(1))
        places = graph.add("Where", known, graph.unsqueeze(steps, 1), np.array(0))
        newest = graph.add("ReduceMax", places, time, keepdims=1)
        last = graph.add("GatherElements", x, newest, axis=1)
        changes = graph.add("Where", known, graph.add("Sub", x, last), zero)
    size = graph.add("ReduceMax", graph.add("Abs", changes), time, keepdims=1)
    size = graph.add("Where", graph.add("Greater", size, zero), size, graph.value(1.0))
    changes = graph.add("Div", changes, size)
    n = graph.cast(n_known, graph.dtype)
    mean = graph.add("Div", graph.add("ReduceSum", changes, time, keepdims=1), n)
    deviations = graph.add("Sub", changes, mean)
    if known is not None:
        deviations = graph.add("Where", known, deviations, zero)
    squares = graph.add("ReduceSum", graph.add("Mul", deviations, deviations), time, keepdims=1)
    spread = graph.add("Sqrt", graph.add("Div", squares, n))
    return last, graph.add("Add", last, graph.add("Mul", size, mean)), graph.add("Mul", size, spread), n_known
