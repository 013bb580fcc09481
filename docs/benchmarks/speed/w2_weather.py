"""50,000 hours of 14 features: GRU, windows of 72 steps, batches of 256."""

from _side_by_side import run

if __name__ == "__main__":
    run("w2")
