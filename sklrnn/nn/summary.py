"""The layers of a network with their output shapes and weights, as a table in text or HTML."""

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape
from importlib import import_module

from torch import Tensor, nn

from sklrnn.nn.cells import gates_of
from sklrnn.nn.convolution import BatchNorm, CausalConvolution
from sklrnn.nn.recurrent import RecurrentLayer, RecurrentStack

# Names of torch and of this package in words; any other weight keeps its own name.
_WORDS = {
    "weight": "weights",
    "weight_ih_l0": "input weights",
    "weight_hh_l0": "recurrent weights",
    "bias_ih_l0": "bias",
    "bias_hh_l0": "recurrent bias",
    "peephole_l0": "peephole weights",
    "spread": "standard deviation",
    "known": "known tokens",
    "n_batches": "batches averaged",
    "rarity": "probability of being read as unknown",
}
_STACKED_BY_GATE = {"weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"}
_HEADER = ("Layer", "Output shape", "Size", "Parameters")


Shape = tuple[str | int, ...]


@dataclass(frozen=True)
class Input:
    """What comes into a network from outside.

    ``symbol`` stands for a step of it, ``first`` is the number of the first one, and ``note`` says where they come from
    in predictions.
    """

    name: str
    shape: Shape
    symbol: str = "x"
    first: int = 1
    note: str = ""


@dataclass(frozen=True)
class Layer:
    """A layer of a network: ``shape`` is that of its output, such as ``("sample", "time", 16)``.

    Without a module it has no weights. It reads the layer before it in the list, unless ``reads`` names others.
    """

    name: str
    shape: Shape
    module: nn.Module | None = None
    reads: tuple["str | Input", ...] = ()

    @property
    def n_parameters(self) -> int:
        """Trainable parameters."""
        return sum(weight.n_values for weight in _weights_of(self.module) if weight.is_trained)


@dataclass(frozen=True)
class _Weight:
    name: str
    size: tuple[int, ...]
    is_trained: bool

    @property
    def n_values(self) -> int:
        return math.prod(self.size)


class NetworkSummary:
    """Prints as a table of layers and weights; notebooks show it as HTML.

    A size is that of the stored array, its number of gates first where a weight holds several: ``4 x 512 x 117`` is
    the weight of four gates of 512 units each that read 117 features.
    """

    def __init__(self, layers: Sequence[Layer], *, title: str, n_networks: int = 1) -> None:
        self._layers = [(layer, list(_weights_of(layer.module))) for layer in layers]
        self._title = title
        self._n_networks = n_networks

    @property
    def n_parameters(self) -> int:
        """Trainable parameters of one network."""
        return sum(layer.n_parameters for layer, _ in self._layers)

    def display(self) -> None:
        """Print the table; under IPython let it display the table, which in a notebook is shown as HTML."""
        ipython = sys.modules.get("IPython")
        if ipython is not None and ipython.get_ipython() is not None:
            import_module("IPython.display").display(self)
        else:
            print(self)

    def __repr__(self) -> str:
        rows = [(name if is_layer else f"  {name}", *cells) for is_layer, name, *cells in self._rows()]
        widths = [max(map(len, column)) for column in zip(_HEADER, *rows, strict=True)]
        rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
        lines = ["  ".join(_aligned(row, widths)).rstrip() for row in (_HEADER, *rows)]
        return "\n".join([self._title, lines[0], rule, *lines[1:], rule, *self._totals()])

    def _repr_html_(self) -> str:
        header = "".join(f'<th style="text-align: left">{name}</th>' for name in _HEADER)
        body = "".join(_html_row(*row) for row in self._rows())
        totals = "<br>".join(map(escape, self._totals()))
        return f"<p>{escape(self._title)}</p><table><tr>{header}</tr>{body}</table><p>{totals}</p>"

    def _rows(self) -> Iterator[tuple[bool, str, str, str, str]]:
        for layer, weights in self._layers:
            yield True, layer.name, as_text(layer.shape), "", str(layer.n_parameters)
            for weight in weights:
                number = str(weight.n_values) if weight.is_trained else "not trained"
                yield False, weight.name, "", " x ".join(map(str, weight.size)) or "1", number

    def _totals(self) -> list[str]:
        n_fixed = sum(weight.n_values for _, weights in self._layers for weight in weights if not weight.is_trained)
        lines = [f"Trainable parameters: {self.n_parameters}", f"Values that are not trained: {n_fixed}"]
        if self._n_networks > 1:
            n = self._n_networks
            lines.append(f"There are {n} such networks: {n} x {self.n_parameters} = {n * self.n_parameters} parameters")
        return lines


def as_text(shape: Shape) -> str:
    """A shape as it is printed: (sample, time, 16)."""
    return f"({', '.join(map(str, shape))})"


def reading(layers: list[Layer], *sources: str | Input) -> list[Layer]:
    """The layers, of which the first reads these."""
    return [replace(layer, reads=sources) for layer in layers[:1]] + layers[1:]


def front_layers(embedding: nn.Module, standardise: nn.Module, n_features: int, width: int) -> list[Layer]:
    """Whichever of the two turns tokens or numbers into the ``width`` features that the other layers read."""
    shape = ("sample", "time", width)
    if isinstance(embedding, nn.Identity):
        return [Layer("standardise", shape, standardise, (Input("X", ("sample", "time", n_features)),))]
    return [Layer("embedding", shape, embedding, (Input("X", ("sample", "time")),))]


def convolution_layers(convolution: CausalConvolution) -> list[Layer]:
    """The convolutions, and the normalisation and pooling behind each."""
    layers, pooled = [], 1
    parts = zip(convolution.layers, convolution.norms, convolution.pool_sizes, strict=True)
    for place, (module, norm, pool_size) in enumerate(parts, start=1):
        n_filters: int = module.out_channels  # type: ignore[assignment]
        shape = ("sample", _time(pooled), n_filters)
        layers.append(Layer(f"convolution {place}", shape, module))
        if isinstance(norm, BatchNorm):
            layers.append(Layer(f"batch normalisation {place}", shape, norm))
        if pool_size > 1:
            pooled *= pool_size
            layers.append(Layer("max pooling", ("sample", _time(pooled), n_filters)))
    return layers


def _time(pooled: int) -> str:
    return "time" if pooled == 1 else f"time / {pooled}"


def recurrent_layers(stack: RecurrentStack, *, name: str, time: str = "time", gives_final: bool = False) -> list[Layer]:
    """The layers of a stack; with ``gives_final`` what follows reads the final state of the last layer only."""
    layers = []
    for place, module in enumerate(stack, start=1):
        assert isinstance(module, RecurrentLayer)
        traits = [type(module.forwards).__name__]
        traits += ["bidirectional"] if module.backwards is not None else []
        traits += ["residual"] if module.is_residual else []
        is_final = gives_final and place == len(stack)
        shape = ("sample", module.width) if is_final else ("sample", time, module.width)
        layers.append(Layer(f"{name} {place}: {', '.join(traits)}", shape, module))
    return layers


def readout_layers(readout: nn.Module, pooling: str, width: int) -> list[Layer]:
    """What joins the states of all steps, if anything does."""
    if pooling == "last":
        return []
    return [Layer("attention" if pooling == "attention" else f"{pooling} over time", ("sample", width), readout)]


def _weights_of(module: nn.Module | None) -> Iterator[_Weight]:
    """Everything that a layer stores, in the order in which it is stored."""
    if module is None:
        return
    for path, parameter in module.named_parameters():
        yield _weight(module, path, parameter, is_trained=parameter.requires_grad)
    for path, buffer in module.named_buffers():
        yield _weight(module, path, buffer, is_trained=False)


def _weight(module: nn.Module, path: str, value: Tensor, *, is_trained: bool) -> _Weight:
    size = tuple(value.shape)
    owner, _, own = path.rpartition(".")
    name = _WORDS.get(own, own)
    if not isinstance(module, RecurrentLayer):
        return _Weight(" ".join([*owner.split("."), name]).strip(), size, is_trained)
    direction, *parts = owner.split(".")
    n_gates = len(gates_of(getattr(module, direction)) or ())
    if own in _STACKED_BY_GATE and n_gates > 1:
        size, name = (n_gates, size[0] // n_gates, *size[1:]), f"{name} of {n_gates} gates"
    return _Weight(" ".join([*parts, name]) + (", backward" if direction == "backwards" else ""), size, is_trained)


def _aligned(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Words to the left, numbers to the right."""
    return [
        cell.rjust(width) if place >= 2 else cell.ljust(width)
        for place, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]


def _html_row(is_layer: bool, name: str, *cells: str) -> str:
    indent = "" if is_layer else "; padding-left: 2em"
    weight = "; font-weight: bold" if is_layer else ""
    values = "".join(
        f'<td style="text-align: {"left" if place == 0 else "right"}{weight}">{escape(cell)}</td>'
        for place, cell in enumerate(cells)
    )
    return f'<tr><td style="text-align: left{indent}{weight}">{escape(name)}</td>{values}</tr>'
