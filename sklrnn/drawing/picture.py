"""A picture of a network that notebooks show and files keep."""

from collections.abc import Sequence
from html import escape
from os import PathLike
from pathlib import Path
from typing import Literal

from sklrnn.drawing.layer_diagram import description, layer_diagram
from sklrnn.drawing.unrolled import unrolled_picture
from sklrnn.nn.summary import Layer

PictureKind = Literal["layers", "unrolled"]

_DRAW = {"layers": layer_diagram, "unrolled": unrolled_picture}
_TITLE = {"layers": "The layers of {}", "unrolled": "{} unrolled over time"}


class NetworkPicture:
    """A drawn network: a notebook shows it, ``save`` writes it to a file, and ``svg`` is its text."""

    def __init__(self, layers: Sequence[Layer], *, name: str, kind: PictureKind) -> None:
        self._layers, self._title, self._kind = list(layers), _TITLE[kind].format(name), kind

    def svg(self, *, standalone: bool = True) -> str:
        """Give the picture as SVG.

        Parameters
        ----------
        standalone : bool, default=True
            With a ground of its own, as a file needs it. Without, it has the colours of the page that it is put into.

        Returns
        -------
        svg : str
            The picture; it loads nothing from elsewhere.
        """
        canvas = _DRAW[self._kind](self._layers)
        return canvas.svg(title=self._title, description=description(self._layers), standalone=standalone)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the picture to a file.

        Parameters
        ----------
        path : str or path-like
            The file, whose name ends in ``.svg``.
        """
        if Path(path).suffix.lower() != ".svg":
            raise ValueError(
                f"The picture is saved as SVG, but path={str(path)!r} does not end in '.svg'. Name it so; browsers and "
                "word processors read SVG and convert it."
            )
        Path(path).write_text(self.svg(), encoding="utf-8")

    def __repr__(self) -> str:
        return f"<{self._title}: show it in a notebook, or write it with save('network.svg')>"

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_html_(self) -> str:
        return _scrolling(self.svg(standalone=False))


def pictures_as_html(layers: Sequence[Layer], *, name: str, n_networks: int = 1) -> str:
    """Both pictures, each behind a line that opens it, which looks as in scikit-learn's diagrams."""
    n = sum(layer.n_parameters for layer in layers)
    total = f"{n:,} trainable parameters" + (f" in each of {n_networks} networks" if n_networks > 1 else "")
    headings: dict[PictureKind, str] = {"layers": f"Layers: {total}", "unrolled": "Unrolled over time"}
    pictures = ((text, NetworkPicture(layers, name=name, kind=kind)) for kind, text in headings.items())
    return "".join(
        f'<div class="estimator-table"><details class="sklrnn-network"><summary style="cursor:pointer">{escape(text)}'
        f"</summary>{picture._repr_html_()}</details></div>"
        for text, picture in pictures
    )


def _scrolling(svg: str) -> str:
    return f'<div style="overflow-x:auto">{svg}</div>'
