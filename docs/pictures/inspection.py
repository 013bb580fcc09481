"""Draw the pictures of ``docs/guide/inspection.md``: run ``python docs/pictures/inspection.py``.

The code is that of the page, which draws three figures.
"""

import re
from pathlib import Path

import matplotlib as mpl

DOCS = Path(__file__).parents[1]
PICTURES = ("guide/inspection_gates.png", "guide/inspection_gradients.png", "guide/inspection_filters.png")


def main():
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    page = (DOCS / "guide" / "inspection.md").read_text(encoding="utf-8")
    names = {}
    for code in re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        exec(code, names)
    for picture, number in zip(PICTURES, plt.get_fignums(), strict=True):
        plt.figure(number).savefig(DOCS / picture, dpi=100)


if __name__ == "__main__":
    main()
