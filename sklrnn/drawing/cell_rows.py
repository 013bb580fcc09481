"""A recurrent layer unrolled over time: a cell for each step, which passes its state on."""

from collections.abc import Sequence
from typing import Any

from torch import nn

from sklrnn.drawing.svg import Canvas, Point, shortened, text_width
from sklrnn.drawing.time_axis import TimeAxis
from sklrnn.nn.cells import GATES
from sklrnn.nn.recurrent import RecurrentLayer

_HEIGHT = 34.0
_WIDTH, _WIDTH_OF_TWO = 80.0, 60.0  # of a cell, alone or one of two
_SHIFT = 34.0  # of the cells of two directions from the middle of a column
_RISE = 46.0  # of the backward cell above the forward one
_PLUS = 8.0
_SIZE = 10.0  # of the names of states

# The states of a cell: what the next layer sees comes first.
_STATES = "hcnm"


def spacing_of(layers: Sequence[RecurrentLayer]) -> tuple[float, float]:
    """How wide a column must be, and how far what belongs to the first one reaches to its left."""
    arrow = max((_arrow_of(layer.forwards) for layer in layers), default=0.0)
    if any(layer.backwards is not None for layer in layers):
        return max(168.0, _WIDTH_OF_TWO + arrow), _SHIFT + _WIDTH_OF_TWO / 2 + arrow
    return _WIDTH + max(44.0, arrow), _WIDTH / 2 + arrow


def _arrow_of(cell: nn.Module) -> float:
    """The length of an arrow below the name of the states."""
    return text_width(_states_of(cell), _SIZE) + 16


def draw_cells(
    canvas: Canvas, axis: TimeAxis, layer: RecurrentLayer, inputs: Sequence[Point], bottom: float, *, final: bool
) -> list[Point]:
    """Draw the cells on ``bottom``, and give where each column's output comes out; of the final state only one."""
    if layer.backwards is not None:
        outputs = _draw_two_directions(canvas, axis, layer, inputs, bottom, final=final)
    else:
        for (x, y), column in zip(inputs, axis.columns, strict=True):
            canvas.line((x, y), (column, bottom), arrow=True)
        _draw_direction(canvas, axis, layer.forwards, bottom, _WIDTH)
        outputs = [(x, bottom - _HEIGHT) for x in (axis.columns[-1:] if final else axis.columns)]
    if layer.is_residual:
        width = _SHIFT + _WIDTH_OF_TWO / 2 if layer.backwards is not None else _WIDTH / 2
        outputs = [
            _draw_sum(canvas, source, output, width)
            for source, output in zip(inputs[-len(outputs) :], outputs, strict=True)
        ]
    return outputs


def middle_of(layer: RecurrentLayer, bottom: float) -> float:
    """The height of the middle of the cells."""
    return bottom - _HEIGHT / 2 - (_RISE / 2 if layer.backwards is not None else 0)


def _draw_direction(
    canvas: Canvas,
    axis: TimeAxis,
    cell: nn.Module,
    bottom: float,
    width: float,
    *,
    shift: float = 0.0,
    back: bool = False,
) -> None:
    """Cells side by side, and their states on the way to the next cell: to the right, or ``back`` to the left."""
    y, half, sign = bottom - _HEIGHT / 2, width / 2, -1 if back else 1
    columns = [x + shift for x in axis.columns]
    name, size = shortened(type(cell).__name__, 11 if width > 70 else 9), 12 if width > 70 else 10
    for x in columns:
        canvas.box((x, y), (width, _HEIGHT), kind="recurrent")
        canvas.text((x, y), name, size=size)
    dots = axis.dots + shift
    canvas.text((dots, y), "⋯", size=16)
    order = columns[::-1] if back else columns
    numbers = axis.numbers()[::-1] if back else axis.numbers()
    states = _states_of(cell)
    first_arrow = 24.0 if back else _arrow_of(cell)  # without a name, with one
    starts = [order[0] - sign * (half + first_arrow), *(x + sign * half for x in order[:-1])]
    first_number = "" if back else "0"
    for start, x, number in zip(starts, order, [first_number, *numbers[:-1]], strict=True):
        end = x - sign * half
        if min(start, end) < dots < max(start, end):
            canvas.line((start, y), (dots - sign * 14, y), arrow=True)
            canvas.line((dots + sign * 14, y), (end, y), arrow=True)
        else:
            canvas.line((start, y), (end, y), arrow=True)
        if number:
            anchor = "end" if back else "start"
            canvas.text((start + sign * 3, y - 9), states, index=number, size=_SIZE, anchor=anchor)


def _states_of(cell: Any) -> str:
    """The names of what a cell passes on; of a user's cell only the hidden state has a name that is known."""
    n_states = getattr(cell, "n_states", 2 if isinstance(cell, nn.LSTM) else 1)
    names = _STATES[:n_states] if isinstance(cell, tuple(GATES)) else "h…"[:n_states]
    return names if n_states == 1 else f"({', '.join(names)})"


def _draw_two_directions(
    canvas: Canvas, axis: TimeAxis, layer: RecurrentLayer, inputs: Sequence[Point], bottom: float, *, final: bool
) -> list[Point]:
    """The backward cells stand above the forward ones; both read the input, and the next layer reads both states."""
    assert layer.backwards is not None
    back_bottom = bottom - _RISE
    top, split = back_bottom - _HEIGHT, bottom + 10
    for (x, y), column in zip(inputs, axis.columns, strict=True):
        for end, end_y in ((column - _SHIFT, bottom), (column + _SHIFT, back_bottom)):
            canvas.line((x, y), (x, split), (end, split), (end, end_y), arrow=True)
    _draw_direction(canvas, axis, layer.forwards, bottom, _WIDTH_OF_TWO, shift=-_SHIFT)
    _draw_direction(canvas, axis, layer.backwards, back_bottom, _WIDTH_OF_TWO, shift=_SHIFT, back=True)
    meet = top - 12
    # The final state of the backward cell is that of the first step.
    pairs = [(axis.columns[-1], axis.columns[0])] if final else [(x, x) for x in axis.columns]
    for x, back_x in pairs:
        canvas.line((x - _SHIFT, bottom - _HEIGHT), (x - _SHIFT, meet), (x, meet))
        canvas.line((back_x + _SHIFT, top), (back_x + _SHIFT, meet), (x, meet))
    return [(x, meet) for x, _ in pairs]


def _draw_sum(canvas: Canvas, source: Point, output: Point, half_width: float) -> Point:
    """Add the input of a layer to its output: a line leads around the cells."""
    (x, y), (_, top) = source, output
    around, height = x + half_width + 9, top - 16
    canvas.line((x, y - 5), (around, y - 5), (around, height), (x + _PLUS, height), arrow=True)
    canvas.line((x, top), (x, height + _PLUS), arrow=True)
    canvas.circle((x, height), _PLUS)
    canvas.text((x, height), "+", size=13)
    return x, height - _PLUS
