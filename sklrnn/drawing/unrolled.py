"""A network unrolled over time: time runs from left to right, and from the bottom to the top rows are layers."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from sklrnn.drawing.cell_rows import draw_cells, middle_of, spacing_of
from sklrnn.drawing.layer_diagram import kind_of, sources
from sklrnn.drawing.svg import Canvas, Point, text_width
from sklrnn.drawing.time_axis import TimeAxis
from sklrnn.nn.recurrent import RecurrentLayer
from sklrnn.nn.summary import Input, Layer, Shape, as_text

_GAP, _FAN_GAP = 28.0, 48.0  # below a row; below a convolution, where lines run askew
_BUS_GAP = 20.0  # more below a row with a line that brings the same to all steps
_BAR = 28.0
_RADIUS = 18.0
_HEAD = (60.0, 28.0)
_SIDE = 132.0  # width of the boxes beside the columns
_LANE = 12.0


@dataclass(frozen=True)
class _Row:
    """Where a layer hands on its output: a point for each column of its axis, or a single one."""

    points: list[Point]
    axis: TimeAxis | None

    @property
    def is_beside(self) -> bool:
        return self.axis is None


def unrolled_picture(layers: Sequence[Layer]) -> Canvas:
    """Draw the layers step by step."""
    picture = _Unrolled(layers)
    steps = sources(layers)
    for layer, read in steps:
        picture.add(layer, read, is_last=layer is steps[-1][0])
    return picture.canvas


def _has_time(shape: Shape) -> bool:
    return any(str(part).startswith("time") for part in shape)


class _Unrolled:
    """Adds layer after layer: most as rows on top of each other, some in boxes on the right, such as a context."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.canvas = Canvas()
        cells = [layer.module for layer in layers if isinstance(layer.module, RecurrentLayer)]
        self._pitch, reach = spacing_of(cells)
        self._label_end = max(reach, self._pitch / 2) + 12  # so far left of the first column
        inputs = [each for layer in layers for each in layer.reads if isinstance(each, Input)]
        named: list[Layer | Input] = [*inputs, *(layer for layer in layers if kind_of(layer) in ("recurrent", "head"))]
        self._label_width = max(text_width(text) for each in named for text in (each.name, as_text(each.shape)))
        self._rows: dict[str, _Row] = {}
        self._main = ""  # the row on top
        self._axis = TimeAxis(0.0, self._pitch, "T")
        self._has_inputs = False
        self._beside_top = 0.0  # of the boxes on the right
        self._n_lanes = 0

    def add(self, layer: Layer, read: Sequence[Layer | Input], *, is_last: bool) -> None:
        source = read[0]
        if isinstance(source, Input) and _has_time(source.shape):
            self._add_inputs(source)
        elif not is_last and source.name != self._main:
            self._add_beside(layer, source)
            return
        others = [each.name for each in read[1:]]
        before = self._rows[self._main]
        bottom = min(y for _, y in before.points) - (_FAN_GAP if isinstance(layer.module, nn.Conv1d) else _GAP)
        if any(self._rows[name].is_beside for name in others):
            bottom = min(bottom, self._beside_top - _GAP)
        if others and _has_time(layer.shape):
            bottom -= _BUS_GAP
            self._draw_bus(layer, others, bottom + _BUS_GAP)
        self._rows[layer.name] = self._draw_row(layer, before, others, bottom, is_last=is_last)
        self._main = layer.name

    def _add_inputs(self, given: Input) -> None:
        """The steps of the input, the lowest row; a second input begins new columns on the right."""
        if self._has_inputs:
            left = self._axis.edges()[1] + 3 * _LANE + self._label_width + self._label_end
            self._axis = TimeAxis(left, self._pitch, "T'")
        self._has_inputs = True
        axis = self._axis
        for x, number in zip(axis.columns, axis.numbers(first=given.first), strict=True):
            self.canvas.circle((x, 0), _RADIUS, kind="input")
            self.canvas.text((x, 0), given.symbol, index=number, size=12 if len(number) < 3 else 10)
        self.canvas.text((axis.dots, 0), "⋯", size=16)
        self._label(given.name, given.shape, 0)
        if given.note:
            self.canvas.text((axis.middle, _RADIUS + 20), given.note, size=11)
        self._rows[given.name] = _Row([(x, -_RADIUS) for x in axis.columns], axis)
        self._main, self._beside_top = given.name, _RADIUS

    def _draw_row(self, layer: Layer, before: _Row, others: Sequence[str], bottom: float, *, is_last: bool) -> _Row:
        axis, has_time = self._axis, _has_time(layer.shape)
        if isinstance(layer.module, RecurrentLayer):
            self._label(layer.name, layer.shape, middle_of(layer.module, bottom))
            points = draw_cells(self.canvas, axis, layer.module, before.points, bottom, final=not has_time)
            return _Row(points, axis)
        if is_last:
            points = before.points if has_time else before.points[-1:]
            self._draw_heads(layer, points, bottom, others)
            return _Row([(x, bottom - _HEAD[1]) for x, _ in points], axis)
        if isinstance(layer.module, nn.Conv1d):
            self._draw_fan(before.points, bottom, layer.module.kernel_size[0])
        else:
            for x, y in before.points:
                self.canvas.line((x, y), (x, bottom), arrow=True)
        left, right = axis.edges() if len(before.points) > 1 else (axis.columns[-1] - 60, axis.columns[-1] + 60)
        middle = ((left + right) / 2, bottom - _BAR / 2)
        self.canvas.box(middle, (right - left, _BAR), kind=kind_of(layer))
        self.canvas.text(middle, f"{self._name_of_bar(layer)}: {as_text(layer.shape)}")
        columns = axis.columns if has_time else axis.columns[-1:]
        return _Row([(x, bottom - _BAR) for x in columns], axis)

    def _name_of_bar(self, layer: Layer) -> str:
        if not isinstance(layer.module, nn.Conv1d):
            return layer.name
        n_steps = layer.module.kernel_size[0]
        return f"{layer.name}, filters of {n_steps} step{'' if n_steps == 1 else 's'}"

    def _draw_fan(self, points: Sequence[Point], bottom: float, kernel_size: int) -> None:
        """A convolution reads a step and those before it, as many as its kernel is long."""
        for place, (x, y) in enumerate(points):
            is_last = place == len(points) - 1
            earlier = [] if is_last else points[max(0, place - kernel_size + 1) : place]
            if is_last and kernel_size > 1:
                earlier = [(self._axis.dots, y)]
            for start in earlier:
                self.canvas.line(start, (x - 6, bottom))
            self.canvas.line((x, y), (x, bottom), arrow=True)

    def _draw_heads(self, layer: Layer, points: Sequence[Point], bottom: float, others: Sequence[str]) -> None:
        """The head, at every step or once, and the outputs above it."""
        axis, has_time = self._axis, len(points) > 1
        middle, top = bottom - _HEAD[1] / 2, bottom - _HEAD[1]
        output = top - 20 - _RADIUS
        numbers = axis.numbers() if has_time else [""]
        for (x, y), number in zip(points, numbers, strict=True):
            self.canvas.line((x, y), (x, bottom), arrow=True)
            self.canvas.box((x, middle), _HEAD, kind="head")
            self.canvas.text((x, middle), layer.name)
            self.canvas.line((x, top), (x, output + _RADIUS), arrow=True)
            self.canvas.circle((x, output), _RADIUS, kind="head")
            self.canvas.text((x, output), "ŷ", index=number)
        if has_time:
            self.canvas.text((axis.dots, middle), "⋯", size=16)
            self.canvas.text((axis.dots, output), "⋯", size=16)
            self._label(layer.name, layer.shape, middle)
            return
        x = points[0][0]
        self.canvas.text((x + _RADIUS + 8, output), as_text(layer.shape), anchor="start", size=11)
        for place, name in enumerate(others):
            self._lead(name, (x + _HEAD[0] / 2, middle - 6 + 8 * place))

    def _label(self, name: str, shape: Shape, y: float) -> None:
        x = self._axis.left - self._label_end
        self.canvas.text((x, y - 7), name, anchor="end", bold=True)
        self.canvas.text((x, y + 9), as_text(shape), anchor="end", size=11)

    # -- what is no row on top of the last one -------------------------------------------------------------------------

    def _add_beside(self, layer: Layer, source: Layer | Input) -> None:
        """A box on the right, as high as what it reads or above the last such box."""
        x = self._axis.edges()[1] + 20 + 2 * _LANE + _SIDE / 2
        lines = textwrap.wrap(layer.name, 20)
        height = 10.0 + 14 * (len(lines) + 1)
        if isinstance(source, Input):
            self.canvas.box((x, 0), (_SIDE, _BAR), kind="input", round_=_BAR / 2)
            self.canvas.text((x, 0), source.symbol)
            start = (x, -_BAR / 2)
        else:
            start = self._rows[source.name].points[-1]
        bottom = min(start[1], self._beside_top) - 18
        if start[0] == x:
            self.canvas.line(start, (x, bottom), arrow=True)
        else:
            self._n_lanes += 1
            left, middle = x - _SIDE / 2, bottom - height / 2
            lane = left - self._n_lanes * _LANE
            path = self._branch(source.name, lane, all_steps=_reads_all_steps(layer))
            self.canvas.line(*path, (lane, middle), (left, middle), arrow=True)
        self.canvas.box((x, bottom - height / 2), (_SIDE, height))
        for number, line in enumerate([*lines, as_text(layer.shape)]):
            size = 11 if number < len(lines) else 10
            self.canvas.text((x, bottom - height + 12 + 14 * number), line, size=size)
        self._beside_top = bottom - height
        self._rows[layer.name] = _Row([(x, self._beside_top)], None)

    def _branch(self, name: str, x: float, *, all_steps: bool) -> list[Point]:
        """A line that leaves a row to the right, up to ``x``."""
        row = self._rows[name].points
        points = row if all_steps else row[-1:]
        y = row[-1][1] - 9
        for at, start in points:
            self.canvas.line((at, start), (at, y))
            self.canvas.dot((at, y))
        return [(points[0][0], y), (x, y)]

    def _draw_bus(self, layer: Layer, others: Sequence[str], y: float) -> None:
        """A line below a row that brings to every step what the others give."""
        columns = self._axis.columns
        for number, name in enumerate(others):
            row, height = self._rows[name], y - 8 * number
            if row.is_beside:
                self._lead(name, (columns[0], height), arrow=False)
            else:
                self._n_lanes += 1
                lane = (row.axis or self._axis).edges()[1] + self._n_lanes * _LANE
                path = self._branch(name, lane, all_steps=_reads_all_steps(layer))
                self.canvas.line(*path, (lane, height), (columns[-1], height))
            for x in columns:
                self.canvas.dot((x, height))

    def _lead(self, name: str, target: Point, *, arrow: bool = True) -> None:
        """A line from a box on the right to a target further up on the left; it passes by boxes that are higher."""
        (x, top), y = self._rows[name].points[-1], target[1]
        if top == self._beside_top:
            self.canvas.line((x, top), (x, y), target, arrow=arrow)
            return
        self._n_lanes += 1
        lane = x + _SIDE / 2 + self._n_lanes * _LANE
        self.canvas.line((x + _SIDE / 2, top + 10), (lane, top + 10), (lane, y), target, arrow=arrow)


def _reads_all_steps(layer: Layer) -> bool:
    """Whether a layer joins steps, so that it reads all of them and not only the last."""
    return layer.name.startswith(("attention", "mean"))
