"""Draw the picture of ``docs/guide/windows.md``."""

from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt

DOCS = Path(__file__).parents[1]
PICTURES = ("guide/windows.svg",)
TRAIN, GAP, TEST, WINDOW, TARGET, FILLED = "#8fb3d9", "#ffffff", "#f2b877", "#1f4e79", "#b5522a", "#d9d9d9"
N_TRAIN, N_GAP, N_TEST, LENGTH, HORIZON = 12, 2, 8, 6, 3


def draw_row(axes, y, colors, text):
    """Draw one line of boxes, a box for each row of the table, and what the line says."""
    for x, color in enumerate(colors):
        if color is not None:
            axes.add_patch(plt.Rectangle((x, y), 0.9, 0.7, facecolor=color, edgecolor="#555555", linewidth=0.6))
    axes.text(-0.4, y + 0.35, text, ha="right", va="center", fontsize=9)


def sample(row):
    """Color what a sample reads and learns: its window, where it is filled, and its targets."""
    colors = [None] * (N_TRAIN + N_GAP + N_TEST)
    for place in range(row - LENGTH + 1, row + 1):
        unknown = place < 0 or (N_TRAIN <= place < N_TRAIN + N_GAP and row >= N_TRAIN)
        if place >= 0:
            colors[place] = FILLED if unknown else WINDOW
    for place in range(row + 1, row + HORIZON + 1):
        colors[place] = TARGET
    return colors


def main():
    # Without these the file would change with every run.
    mpl.rcParams["svg.hashsalt"] = "windows"
    figure, axes = plt.subplots(figsize=(9, 3.2))
    draw_row(axes, 4, [TRAIN] * N_TRAIN + [GAP] * N_GAP + [TEST] * N_TEST, "rows: training, gap, test")
    draw_row(axes, 3, sample(8), "a training sample")
    draw_row(axes, 2, sample(11), "the last training sample")
    draw_row(axes, 1, sample(14), "the first test sample")
    draw_row(axes, 0, sample(18), "a later test sample")
    for x, color, text in [(0, WINDOW, "window"), (5, FILLED, "in the window, but unknown"), (16, TARGET, "target")]:
        axes.add_patch(plt.Rectangle((x, -1.3), 0.9, 0.7, facecolor=color, edgecolor="#555555", linewidth=0.6))
        axes.text(x + 1.2, -0.95, text, va="center", fontsize=9)
    axes.set(xlim=(-8, N_TRAIN + N_GAP + N_TEST), ylim=(-1.5, 5))
    axes.axis("off")
    figure.savefig(DOCS / PICTURES[0], bbox_inches="tight", metadata={"Date": None})


if __name__ == "__main__":
    main()
