"""Draw the pictures of ``docs/guide/inspection.md``: run ``python docs/pictures/inspection.py``.

The code is that of the page; its figures get these names, in their order, and two pictures of a network are saved too.
"""

import re
from pathlib import Path

import matplotlib as mpl

DOCS = Path(__file__).parents[1]
PICTURES = (
    "guide/inspection_gates.png",
    "guide/inspection_gradients.png",
    "guide/inspection_filters.png",
    "guide/inspection_importance.png",
    "guide/inspection_attention.png",
    "guide/inspection_training.png",
    "guide/inspection_forecasts.png",
    "guide/inspection_splits.png",
    "guide/inspection_layers.svg",
    "guide/inspection_unrolled.svg",
)


def main():
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    page = (DOCS / "guide" / "inspection.md").read_text(encoding="utf-8")
    names = {}
    for code in re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        exec(code, names)
    for picture, number in zip(PICTURES[:-2], plt.get_fignums(), strict=True):
        # Without the name of the software the file changes with the picture only.
        plt.figure(number).savefig(DOCS / picture, dpi=100, metadata={"Software": None})
    for picture, name in zip(PICTURES[-2:], ("layers", "unrolled"), strict=True):
        names[name].save(DOCS / picture)


if __name__ == "__main__":
    main()
