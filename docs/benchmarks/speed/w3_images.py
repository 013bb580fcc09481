"""Pictures of 28 x 28 read row by row: LSTM, 64 units, batches of 128."""

from _side_by_side import run

if __name__ == "__main__":
    run("w3")
