"""One step of a stream as ONNX operators: a row and a state in, raw outputs and the next state out.

The state is one float64 tensor (sample, number) that begins with zeros. It is split among the layers in the order in
which a row passes them. `training.step_reader` explains why what follows on pooling has a state for each place.
"""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, Protocol

import numpy as np

from sklrnn.export.cells import n_states
from sklrnn.export.convolution import read_windows
from sklrnn.export.front import read_features
from sklrnn.export.graph import Graph
from sklrnn.export.network import apply_head, score_states
from sklrnn.export.recurrent import precision_of, run_stack
from sklrnn.nn.network import Network
from sklrnn.nn.readout import AttentionState, MaxState

_Pair = tuple[str, str]


class Part(Protocol):
    """A layer and the layers behind it, with so many numbers as their state."""

    width: int

    def read(self, graph: Graph, row: str, state: str) -> _Pair:
        """What the head reads after one more row (sample, feature), and the next state."""


def state_width(network: Network) -> int:
    """Numbers in the state of a stream."""
    return _parts(network).width


def run_step(graph: Graph, network: Network, x: str, state: str) -> _Pair:
    """Raw outputs after one more step (sample, feature), and the next state."""
    row = graph.squeeze(read_features(graph, network, graph.unsqueeze(x, 1)), 1)
    read, new_state = _parts(network).read(graph, row, state)
    return apply_head(graph, network, read), new_state


def check_streamable(estimator: Any) -> None:
    """Refuse networks in which the newest step changes how all earlier ones are read."""
    a = estimator.model_.architecture
    rereads = {
        "bidirectional=True": a.bidirectional,
        'normalize_X="window"': a.normalize_X == "window",
        'normalize_y="window"': getattr(estimator, "_y_windows", None) is not None,
    }
    for option, given in rereads.items():
        if given:
            raise ValueError(
                f"A stream with {option} reads the whole sequence again at each step, so it has no state of fixed "
                "size. Export with streaming=False and pass the sequence so far, or fit without this option."
            )
    if a.stateful and (a.filters or a.pooling != "last"):
        raise ValueError(
            "With stateful=True convolutions and pooling begin anew with each segment, which one step does not know. "
            "Export with streaming=False and pass segments, or fit without filters and pooling."
        )


def _parts(network: Network) -> Part:
    convolution = network.convolution
    part: Part = _Recurrence(network)
    layers = list(zip(convolution.layers, convolution.norms, convolution.pool_sizes, strict=True))
    for layer, norm, pool_size in reversed(layers):
        part = _Convolution(layer, norm, pool_size, part)
    return part


def _split(graph: Graph, state: str, widths: Sequence[int]) -> list[str]:
    return graph.add_all("Split", state, np.array(widths), n_outputs=len(widths), axis=1)


class _Convolution:
    """A convolution with its last rows, pooling with its block, and what follows once for each place in the block."""

    def __init__(self, layer: Any, norm: Any, pool_size: int, following: Part) -> None:
        self._layer, self._norm, self._pool_size, self._following = layer, norm, pool_size, following
        self._n_earlier = layer.kernel_size[0] - 1
        self._widths = [
            self._n_earlier * layer.in_channels,
            (pool_size - 1) * layer.out_channels,
            1 if pool_size > 1 else 0,
            pool_size * following.width,
        ]
        self.width = sum(self._widths)

    def read(self, graph: Graph, row: str, state: str) -> _Pair:
        window, block, count, states = _split(graph, state, self._widths)
        rows = graph.concat([window, row], axis=1)
        n_features, kernel_size = self._layer.in_channels, self._n_earlier + 1
        steps = graph.reshape(rows, 0, kernel_size, n_features)
        output = graph.squeeze(read_windows(graph, self._layer, self._norm, steps, graph.constant([1])), 1)
        window = graph.slice(rows, n_features, kernel_size * n_features, 1)
        if self._pool_size == 1:
            read, states = self._following.read(graph, output, states)
            return read, graph.concat([window, block, count, states], axis=1)
        outputs = graph.concat([block, output], axis=1)
        n_filters = self._layer.out_channels
        by_step = graph.reshape(outputs, 0, self._pool_size, n_filters)
        pooled = graph.add("ReduceMax", by_step, np.array([1]), keepdims=0)
        block = graph.slice(outputs, n_filters, self._pool_size * n_filters, 1)
        read, states = self._read_at_place(graph, pooled, states, count)
        count = graph.add("Mod", graph.add("Add", count, np.array(1.0)), np.array(float(self._pool_size)), fmod=1)
        return read, graph.concat([window, block, count, states], axis=1)

    def _read_at_place(self, graph: Graph, row: str, states: str, count: str) -> _Pair:
        """Let the layers behind read a row, from the state of its place in the block."""
        places = np.arange(self._pool_size, dtype=np.float64)
        is_place = graph.unsqueeze(graph.add("Equal", count, places), 2)  # (sample, place, 1)
        by_place = graph.reshape(states, 0, self._pool_size, self._following.width)
        chosen = graph.add("Where", is_place, by_place, np.array(0.0))
        read, new = self._following.read(graph, row, graph.add("ReduceSum", chosen, np.array([1]), keepdims=0))
        by_place = graph.add("Where", is_place, graph.unsqueeze(new, 1), by_place)
        return read, graph.reshape(by_place, 0, self._pool_size * self._following.width)


class _Recurrence:
    """The recurrent layers, and the readout with what it keeps of earlier steps."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._units = [[layer.units] * n_states(layer.forwards) for layer in network.recurrent]
        reads_all = not network.return_sequences and network.architecture.pooling != "last"
        n_kept = network.recurrent.width + 2 * isinstance(network.readout, AttentionState) if reads_all else 0
        n_skipped = 0 if network.skip is None else network.architecture.filters[-1]
        self._extend = _EXTEND.get(type(network.readout), _extend_mean) if reads_all else None
        self._widths = [*chain.from_iterable(self._units), n_kept, n_skipped, 1 if n_kept or n_skipped else 0]
        self.width = sum(self._widths)

    def read(self, graph: Graph, row: str, state: str) -> _Pair:
        stack = self._network.recurrent
        *parts, kept, skipped, n_steps = _split(graph, state, self._widths)
        precision = precision_of(graph, stack)
        of_cells = iter(graph.cast(part, precision) for part in parts)
        states = [[next(of_cells) for _ in units] for units in self._units]
        _, final, new_states = run_stack(graph, stack, graph.unsqueeze(row, 0), states)
        if self._widths[-1]:
            n_steps = graph.add("Add", n_steps, np.array(1.0))
        read = [final]
        if self._extend is not None:
            pooled, kept = self._extend(graph, self._network.readout, final, kept, n_steps)
            read = [pooled]
        if self._network.skip is not None:
            skipped = graph.add("Add", skipped, row)
            read.append(graph.add("Div", skipped, n_steps))
        new = [graph.cast(part, graph.dtype) for states in new_states for part in states]
        return graph.concat(read, axis=1), graph.concat([*new, kept, skipped, n_steps], axis=1)


def _extend_mean(graph: Graph, readout: Any, h: str, total: str, n_steps: str) -> _Pair:
    total = graph.add("Add", total, h)
    return graph.add("Div", total, n_steps), total


def _extend_max(graph: Graph, readout: Any, h: str, largest: str, n_steps: str) -> _Pair:
    is_first = graph.add("Equal", n_steps, np.array(1.0))
    largest = graph.add("Where", is_first, h, graph.add("Max", largest, h))
    return largest, largest


def _extend_attention(graph: Graph, readout: AttentionState, h: str, kept: str, n_steps: str) -> _Pair:
    """A softmax whose weights are measured from the highest score, so that none overflows."""
    total, weight, highest = _split(graph, kept, [len(readout.weight), 1, 1])
    score = score_states(graph, readout, h)
    is_first = graph.add("Equal", n_steps, np.array(1.0))
    new_highest = graph.add("Where", is_first, score, graph.add("Max", highest, score))
    before, now = (graph.add("Exp", graph.add("Sub", each, new_highest)) for each in (highest, score))
    before = graph.add("Where", is_first, np.array(0.0), before)
    total = graph.add("Add", graph.add("Mul", total, before), graph.add("Mul", h, now))
    weight = graph.add("Add", graph.add("Mul", weight, before), now)
    return graph.add("Div", total, weight), graph.concat([total, weight, new_highest], axis=1)


_EXTEND: dict[type[Any], Callable[[Graph, Any, str, str, str], _Pair]] = {
    MaxState: _extend_max,
    AttentionState: _extend_attention,
}
