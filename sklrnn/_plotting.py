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


def drawable_times(index: Any) -> Any:
    """An index as matplotlib can draw it: periods become dates, and what is no time or number is counted."""
    if hasattr(index, "to_timestamp"):
        index = index.to_timestamp()
    return index if index.dtype.kind in "iufM" or hasattr(index, "tz") else range(len(index))


def label_times(ax: Any, index: Any, *, otherwise: str) -> None:
    """Name the horizontal axis as the index is named; dates are written briefly, so that they do not overlap."""
    if hasattr(index, "to_timestamp") or hasattr(index, "tz"):
        from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

        locator = AutoDateLocator(minticks=3, maxticks=6)
        ax.xaxis.set_major_locator(locator)
        ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))
        otherwise = "time"
    ax.set_xlabel(str(index.name) if index.name is not None else otherwise)
