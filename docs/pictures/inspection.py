"""Draw the pictures of ``docs/guide/inspection.md``: run ``python docs/pictures/inspection.py``.

The code is that of the page; its figures get these names, in their order, and two pictures of a network are saved too.
"""

import re
from pathlib import Path

import matplotlib as mpl

GUIDE = Path(__file__).parents[1] / "guide"
NAMES = ("gates", "gradients", "filters", "importance", "attention", "training", "forecasts", "splits")


def main():
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    page = (GUIDE / "inspection.md").read_text(encoding="utf-8")
    names = {}
    for code in re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        exec(code, names)
    for name, number in zip(NAMES, plt.get_fignums(), strict=True):
        # Without the name of the software the file changes with the picture only.
        plt.figure(number).savefig(GUIDE / f"inspection_{name}.png", dpi=80, metadata={"Software": None})
    for name in ("layers", "unrolled"):
        names[name].save(GUIDE / f"inspection_{name}.svg")


if __name__ == "__main__":
    main()
