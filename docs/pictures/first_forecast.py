"""Draw the picture of the start page by the code of the page, and the preview that other sites show of a link."""

import re
from pathlib import Path

import matplotlib as mpl

DOCS = Path(__file__).parents[1]
PICTURES = ("first_forecast.svg", "_static/preview.png")


def main():
    mpl.use("Agg")
    # Without it the file would change with every run.
    mpl.rcParams["svg.hashsalt"] = "first_forecast"
    import matplotlib.pyplot as plt

    from sklrnn.datasets import load_jfk_weather

    page = (DOCS / "index.md").read_text(encoding="utf-8")
    names = {}
    for code in re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        exec(code, names)
    temperature = load_jfk_weather()["temp"]
    past, future = temperature[-96:-24], temperature[-24:]

    figure, axes = plt.subplots(figsize=(5.6, 3.6), layout="constrained")
    axes.plot(past.index, past, color="0.35", label="measured")
    axes.plot(future.index, future, color="0.35", linestyle=":", label="what came")
    axes.plot(future.index, names["next_day"][0], color="#e8833a", linewidth=2.5, label="forecast")
    axes.axvspan(past.index[-48], past.index[-1], color="#2f7fc1", alpha=0.1, label="the window of 48 hours")
    axes.set(title="Temperature at JFK airport, New York", ylabel="°C")
    axes.xaxis.set_major_formatter(mpl.dates.DateFormatter("%d %b"))
    axes.xaxis.set_major_locator(mpl.dates.DayLocator())
    axes.legend(frameon=False, ncols=2, fontsize=9)
    axes.margins(x=0)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(DOCS / PICTURES[0], metadata={"Date": None})
    figure.savefig(DOCS / PICTURES[1], dpi=150, metadata={"Software": None})


if __name__ == "__main__":
    main()
