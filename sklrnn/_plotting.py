"""What all plots share: the colours, axes, and matplotlib, which is imported when the first one is drawn."""

from typing import Any

from sklrnn._colours import COLOURS

__all__ = ["COLOURS", "import_pyplot", "make_axes"]


def import_pyplot() -> Any:
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ModuleNotFoundError(
            "Plots need matplotlib, which is not installed. Install it with 'python -m pip install matplotlib'."
        ) from error
    return plt


def make_axes(ax: Any, *, size: tuple[float, float] = (7, 4)) -> Any:
    """The axes that were given, or those of a new figure."""
    if ax is not None:
        return ax
    return import_pyplot().subplots(figsize=size, layout="constrained")[1]
