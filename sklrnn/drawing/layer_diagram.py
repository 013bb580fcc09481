"""The layers of a network as boxes, from the input at the top to the output, with shapes and numbers of parameters."""

from collections.abc import Sequence

from torch import nn

from sklrnn.drawing.svg import Canvas, text_width
from sklrnn.nn.recurrent import RecurrentLayer
from sklrnn.nn.summary import Input, Layer, as_text

_HEIGHT, _GAP = 44.0, 26.0
_INPUT_HEIGHT = 28.0
_LANE = 14.0  # between lines that pass by layers


def kind_of(layer: Layer | Input) -> str:
    """What the colour of a layer stands for."""
    if isinstance(layer, Input):
        return "input"
    if isinstance(layer.module, RecurrentLayer):
        return "recurrent"
    if isinstance(layer.module, nn.Conv1d):
        return "convolution"
    return "head" if layer.name == "head" else ""


def sources(layers: Sequence[Layer]) -> list[tuple[Layer, list[Layer | Input]]]:
    """Each layer, and what it reads."""
    by_name: dict[str, Layer] = {}
    found: list[tuple[Layer, list[Layer | Input]]] = []
    for layer in layers:
        before = [found[-1][0]] if found else []
        read = [by_name[each] if isinstance(each, str) else each for each in layer.reads]
        found.append((layer, read or [*before]))
        by_name[layer.name] = layer
    return found


def parameters_in_words(n: int) -> str:
    return f"{n:,} parameter{'' if n == 1 else 's'}"


def description(layers: Sequence[Layer]) -> str:
    """The picture in words: each layer, what it reads, its output shape and its parameters."""
    return " ".join(
        f"{layer.name} reads {_enumerated([each.name for each in read])}; output {as_text(layer.shape)}, "
        f"{parameters_in_words(layer.n_parameters)}."
        for layer, read in sources(layers)
    )


def _enumerated(names: Sequence[str]) -> str:
    """Several names in a sentence: a, b and c."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def layer_diagram(layers: Sequence[Layer]) -> Canvas:
    """Draw a column of boxes; lines on the right lead past layers to one that is not the next."""
    canvas = Canvas()
    steps = sources(layers)
    column: list[Layer | Input] = []
    for layer, read in steps:
        column += [each for each in read if isinstance(each, Input) and each not in column]
        column.append(layer)
    width = max(_width(each) for each in column)
    centres, y = {}, 0.0
    for each in column:
        height = _INPUT_HEIGHT if isinstance(each, Input) else _HEIGHT
        centres[each.name] = y + height / 2
        _draw_box(canvas, each, y + height / 2, width)
        y += height + _GAP
    _draw_edges(canvas, column, steps, centres, width)
    total = sum(layer.n_parameters for layer in layers)
    canvas.text((0, y - _GAP + 20), f"{total:,} trainable parameters")
    return canvas


def _width(each: Layer | Input) -> float:
    shape = text_width(as_text(each.shape), 11)
    if isinstance(each, Input):
        return text_width(each.name) + shape + 50
    return max(text_width(each.name) + 40, shape + text_width(parameters_in_words(each.n_parameters), 11) + 60)


def _draw_box(canvas: Canvas, each: Layer | Input, y: float, width: float) -> None:
    left, right = 10 - width / 2, width / 2 - 10
    if isinstance(each, Input):
        canvas.box((0, y), (width, _INPUT_HEIGHT), kind="input", round_=_INPUT_HEIGHT / 2)
        canvas.text((left, y), each.name, anchor="start", bold=True)
        canvas.text((right, y), as_text(each.shape), anchor="end", size=11)
        return
    canvas.box((0, y), (width, _HEIGHT), kind=kind_of(each))
    canvas.text((left, y - 9), each.name, anchor="start", bold=True)
    canvas.text((left, y + 10), as_text(each.shape), anchor="start", size=11)
    canvas.text((right, y + 10), parameters_in_words(each.n_parameters), anchor="end", size=11)


def _draw_edges(
    canvas: Canvas,
    column: list[Layer | Input],
    steps: Sequence[tuple[Layer, list[Layer | Input]]],
    centres: dict[str, float],
    width: float,
) -> None:
    """Arrows to the next layer, and lines past layers: the shortest are the nearest."""
    place = {each.name: number for number, each in enumerate(column)}
    passing = []
    for layer, read in steps:
        for source in read:
            if place[layer.name] == place[source.name] + 1:
                bottom = centres[source.name] + (_INPUT_HEIGHT if isinstance(source, Input) else _HEIGHT) / 2
                canvas.line((0, bottom), (0, centres[layer.name] - _HEIGHT / 2), arrow=True)
            else:
                passing.append((source.name, layer.name))
    passing.sort(key=lambda edge: place[edge[1]] - place[edge[0]])
    ends: dict[str, int] = {}
    for number, (source_name, name) in enumerate(passing, start=1):
        # Several lines that end at one layer end below each other.
        ends[name] = ends.get(name, 0) + 1
        lane, end = width / 2 + number * _LANE, centres[name] - 12 + 9 * (ends[name] - 1)
        start = centres[source_name]
        canvas.line((width / 2, start), (lane, start), (lane, end), (width / 2, end), arrow=True)
