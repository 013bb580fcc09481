"""A short series: GRU, windows of 33 steps, batches of 32."""

from _side_by_side import run

if __name__ == "__main__":
    run("w1")
