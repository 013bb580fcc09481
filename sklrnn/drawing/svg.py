"""SVG: shapes are collected on a canvas, which becomes one picture without anything from outside.

Lines and text have the colour of the text around the picture (``currentColor``), and areas are mostly transparent. So a
picture within a page can be read on light and on dark ground. A file brings a ground of its own.
"""

import hashlib
import math
import re
from html import escape

from sklrnn._colours import COLOURS

Point = tuple[float, float]

# What stands for what, in the colours of all plots; everything else has the colour of the text.
PAINT = {"recurrent": COLOURS[0], "convolution": COLOURS[1], "head": COLOURS[2], "input": COLOURS[3]}

_MARGIN = 12.0
# An ordinary letter is about so many times as wide as the font is high.
_LETTER = 0.56
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_GROUND = (
    "<style>svg{color:#1c1c1c}.ground{fill:#ffffff}"
    "@media (prefers-color-scheme:dark){svg{color:#ececec}.ground{fill:#16181d}}</style>"
)


def text_width(text: str, size: float = 12) -> float:
    """About how wide a text is."""
    return len(text) * size * _LETTER


def shortened(text: str, most: int) -> str:
    """The text, cut off behind so many letters."""
    return text if len(text) <= most else text[: most - 1] + "…"


class Canvas:
    """Takes shapes, the first at the back, and becomes an SVG picture; y grows downwards."""

    def __init__(self) -> None:
        self._shapes: list[str] = []
        self._left = self._top = math.inf
        self._right = self._bottom = -math.inf

    def box(self, centre: Point, size: tuple[float, float], *, kind: str = "", round_: float = 4) -> None:
        """A box of this width and height."""
        (x, y), (width, height) = centre, size
        self._include((x - width / 2, y - height / 2), (x + width / 2, y + height / 2))
        self._shapes.append(
            f'<rect x="{x - width / 2:g}" y="{y - height / 2:g}" width="{width:g}" height="{height:g}" rx="{round_:g}" '
            f"{_paint(kind)}/>"
        )

    def circle(self, centre: Point, radius: float, *, kind: str = "") -> None:
        x, y = centre
        self._include((x - radius, y - radius), (x + radius, y + radius))
        self._shapes.append(f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" {_paint(kind)}/>')

    def dot(self, at: Point) -> None:
        """Where lines meet; lines that cross without one do not."""
        x, y = at
        self._shapes.append(f'<circle cx="{x:g}" cy="{y:g}" r="2.5" fill="currentColor"/>')

    def line(self, *points: Point, arrow: bool = False) -> None:
        """A line through these points, with an arrowhead at its end."""
        self._include(*points)
        path = " ".join(f"{x:g},{y:g}" for x, y in points)
        self._shapes.append(f'<polyline points="{path}" fill="none" stroke="currentColor" stroke-opacity="0.75"/>')
        if arrow:
            (x0, y0), (x, y) = points[-2:]
            length = math.hypot(x - x0, y - y0) or 1.0
            dx, dy = (x - x0) / length, (y - y0) / length
            head = [(x, y), (x - 7 * dx - 3 * dy, y - 7 * dy + 3 * dx), (x - 7 * dx + 3 * dy, y - 7 * dy - 3 * dx)]
            path = " ".join(f"{px:g},{py:g}" for px, py in head)
            self._shapes.append(f'<polygon points="{path}" fill="currentColor" fill-opacity="0.85"/>')

    def text(
        self, at: Point, text: str, *, index: str = "", anchor: str = "middle", size: float = 12, bold: bool = False
    ) -> None:
        """A line of text, with ``index`` as subscript; ``at`` is the middle of its height."""
        x, y = at
        width = text_width(text, size) + text_width(index, 0.75 * size)
        start = x - width * {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor]
        self._include((start, y - size / 2), (start + width, y + size / 2))
        subscript = f'<tspan dy="{0.3 * size:g}" font-size="{0.75 * size:g}">{xml_text(index)}</tspan>' if index else ""
        weight = ' font-weight="bold"' if bold else ""
        self._shapes.append(
            f'<text x="{x:g}" y="{y + 0.35 * size:g}" text-anchor="{anchor}" font-size="{size:g}"{weight}>'
            f"{xml_text(text)}{subscript}</text>"
        )

    def svg(self, *, title: str, description: str, standalone: bool) -> str:
        """The picture; ``standalone`` for a file, otherwise to be put into a page."""
        x, y = self._left - _MARGIN, self._top - _MARGIN
        width, height = self._right + _MARGIN - x, self._bottom + _MARGIN - y
        frame = f'x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"'
        ground = f'{_GROUND}<rect class="ground" {frame} fill="#ffffff"/>' if standalone else ""
        shapes = "".join(self._shapes)
        # Names of the picture's own, as a page may hold several pictures.
        name = "sklrnn-" + hashlib.sha256(f"{title}{description}{shapes}".encode()).hexdigest()[:12]
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{x:g} {y:g} {width:g} {height:g}" width="{width:g}" '
            f'height="{height:g}" style="max-width:100%;height:auto" role="img" aria-labelledby="{name}-title" '
            f'aria-describedby="{name}-desc" font-family="system-ui, sans-serif" fill="currentColor">'
            f'<title id="{name}-title">{xml_text(title)}</title><desc id="{name}-desc">{xml_text(description)}</desc>'
            f"{ground}{shapes}</svg>"
        )

    def _include(self, *points: Point) -> None:
        xs, ys = zip(*points, strict=True)
        self._left, self._right = min(self._left, *xs), max(self._right, *xs)
        self._top, self._bottom = min(self._top, *ys), max(self._bottom, *ys)


def xml_text(text: str) -> str:
    """Text of any letters as XML holds it."""
    return escape(_NOT_IN_XML.sub("\ufffd", text))


def _paint(kind: str) -> str:
    colour = PAINT.get(kind, "currentColor")
    return f'fill="{colour}" fill-opacity="{0.18 if kind else 0.06}" stroke="{colour}"'
