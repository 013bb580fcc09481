"""Memory and time of reading a panel from Parquet files: all at once as a table of PyArrow, and batch by batch.

Each way runs in a process of its own. Memory is the peak above what the process had after imports and reading a small
panel; the panel, whose size is printed too, is part of it. Rows are written sorted by series or by time.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from large_panels import forget_peak, make_panel, memory

from sklrnn.forecasting import panel_from_long

WAYS = ("table", "files")


def write_files(folder, n_series, n_rows, order, n_files=4):
    """The panel with a column that is not needed."""
    table = make_panel(n_series, n_rows).reset_index()
    if order == "time":
        table = table.sort_values("ds", kind="stable")
    table["note"] = np.arange(len(table)).astype(str)
    rows = len(table) // n_files
    for number in range(n_files):
        table[number * rows : (number + 1) * rows].to_parquet(folder / f"part{number}.parquet", index=False)


def read(way, folder):
    if way == "files":
        return panel_from_long(folder, X=[])[0]
    from pyarrow import dataset

    return panel_from_long(dataset.dataset(folder).to_table(columns=["unique_id", "ds", "y"]))[0]


def measure(way, folder):
    read(way, folder / "small")
    before = memory("VmRSS")
    forget_peak()
    start = time.perf_counter()
    y = read(way, folder / "large")
    seconds = time.perf_counter() - start
    peak = memory("VmHWM") - before
    bytes_of_panel = y["y"].to_numpy().nbytes + sum(np.asarray(codes).nbytes for codes in y.index.codes)
    print(f"{way:6} {seconds:7.2f} s   peak {peak:6.0f} MB   the panel {bytes_of_panel / 2**20:5.0f} MB", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=100_000)
    parser.add_argument("--rows", type=int, default=60)
    parser.add_argument("--orders", nargs="+", choices=("series", "time"), default=["series", "time"])
    parser.add_argument("--measure", choices=WAYS, help="measure one way in this process")
    parser.add_argument("--write", choices=("series", "time"), help="write the files in this process")
    parser.add_argument("--folder", type=Path, help="where the files are")
    asked = parser.parse_args()
    if asked.measure:
        measure(asked.measure, asked.folder)
        return
    if asked.write:
        for name, n_series in (("small", 20), ("large", asked.series)):
            (asked.folder / name).mkdir()
            write_files(asked.folder / name, n_series, asked.rows, asked.write)
        return
    for order in asked.orders:
        with tempfile.TemporaryDirectory() as folder:
            print(f"{asked.series:,} series x {asked.rows} rows, sorted by {order}:", flush=True)
            common = ["--folder", folder, "--series", asked.series, "--rows", asked.rows]
            for options in (["--write", order], *(["--measure", way] for way in WAYS)):
                subprocess.run([sys.executable, __file__, *map(str, [*options, *common])], check=True)


if __name__ == "__main__":
    main()
