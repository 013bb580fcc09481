"""Sections of docstrings that follow from the cell of a class: the equations are those in ``nn.cells``."""

import inspect
from typing import Any, TypeVar

from sklrnn._hyperparameters import add_sections
from sklrnn.nn.cells import CELLS

Class = TypeVar("Class", bound=type)

_TASKS = {
    "Regressor": ("sklrnn.", "Predicts numbers."),
    "Classifier": ("sklrnn.", "Predicts labels."),
    "Forecaster": ("sklrnn.forecasting.", "Forecasts series, through sktime's interface."),
}
_NAMED = ("SimpleRNN", "GRU", "LSTM", "CNNLSTM")
_CONVOLUTIONS = """\
Before the recurrence each of the causal convolutions [Sainath2015]_ computes for each filter, with zeros before the
first step::

    y_t = relu(V_0 x_{t-k+1} + ... + V_{k-1} x_t + b),        k = kernel_size

and blocks of ``pool_size`` steps, the last of which ends at the newest step, are replaced by their maxima. With batch
normalisation the sum is standardised before the relu, and scaled and shifted by two learnt numbers.

.. [Sainath2015] Sainath, T. N., Vinyals, O., Senior, A. and Sak, H.: "Convolutional, long short-term memory, fully
   connected deep neural networks", ICASSP, 2015."""


def cell_summary(name: str) -> str:
    """The first paragraph about a cell, and the references."""
    summary, *others = (inspect.getdoc(CELLS[name]) or "").split("\n\n")
    return "\n\n".join([summary[0].lower() + summary[1:], *(part for part in others if part.startswith(".. ["))])


def with_cell_notes(cls: Class) -> Class:
    """Add to the docstring of a class the equations of its cell, or of all cells, and the classes beside it."""
    described: Any = cls
    fixed = "cell" not in described._parameter_constraints
    cells = [described.cell] if fixed else list(CELLS)
    notes = ["In the equations, ``*`` is the elementwise product and σ the logistic function."]  # noqa: RUF001
    for name in cells:
        summary, others = (inspect.getdoc(CELLS[name]) or "").split("\n\n", 1)
        notes += [summary if fixed else f'``cell="{name}"``: {summary}', others]
    if described.filters is not None:
        notes.append(_CONVOLUTIONS)
    described.__doc__ = add_sections(
        described.__doc__ or "", {"See Also": _classes_beside(cls.__name__), "Notes": "\n\n".join(notes)}
    )
    return cls


def _classes_beside(name: str) -> str:
    task = next(task for task in _TASKS if name.endswith(task))
    cell = name.removesuffix(task)
    entries = [f"{home}{cell}{other} : {text}" for other, (home, text) in _TASKS.items() if other != task]
    home = _TASKS[task][0]
    if cell in _NAMED:
        return "\n".join([f"{home}Recurrent{task} : Takes the cell as a parameter.", *entries])
    named = ", ".join(f"{home}{other}{task}" for other in _NAMED)
    return "\n".join([f"{named} : Have the options of their cell only.", *entries])
