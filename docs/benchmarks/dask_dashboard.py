"""Draw ``dask_dashboard.png``, the picture of the page of searches on a cluster: Dask's dashboard during a search.

It needs ``pip install "sklrnn[dask]" bokeh`` and Chromium.
"""

import base64
import json
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import numpy as np
from dask.distributed import Client
from joblib import parallel_config
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from tornado.ioloop import IOLoop
from tornado.websocket import websocket_connect

from sklrnn import GRURegressor
from sklrnn.distributed import DaskBackend

PICTURE = Path(__file__).with_name("dask_dashboard.png")
SIZE = (1200, 960)


@contextmanager
def chromium(address):
    """Show a page; gives the address at which the window can be asked for a picture."""
    command = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = [f"--user-data-dir={profile}", "--window-size={},{}".format(*SIZE), "--hide-scrollbars"]
        browser = subprocess.Popen([*command, *options, address], stderr=subprocess.DEVNULL)
        try:
            port_file = Path(profile) / "DevToolsActivePort"
            while not port_file.exists():
                time.sleep(0.1)
            port = port_file.read_text().split()[0]
            with urlopen(f"http://127.0.0.1:{port}/json/list") as answer:
                (page,) = (each for each in json.load(answer) if each["type"] == "page")
            yield page["webSocketDebuggerUrl"]
        finally:
            browser.terminate()
            browser.wait()


async def save_picture(window):
    asked = await websocket_connect(window)
    await asked.write_message(json.dumps({"id": 1, "method": "Page.captureScreenshot"}))
    while (answer := json.loads(await asked.read_message())).get("id") != 1:
        pass
    PICTURE.write_bytes(base64.b64decode(answer["result"]["data"]))


def main():
    X = np.random.default_rng(0).normal(size=(4000, 24, 2))
    y = X[:, -1, 0]
    network = GRURegressor(max_epochs=20, random_state=0)
    grid = {"units": [8, 16, 24, 32], "dropout": [0.0, 0.2, 0.4]}
    search = GridSearchCV(network, grid, cv=TimeSeriesSplit(5), pre_dispatch="all")
    with Client(n_workers=2, threads_per_worker=1, dashboard_address=":0") as client:

        def fit():
            with parallel_config(backend=DaskBackend(client)):
                search.fit(X, y)

        with chromium(client.dashboard_link) as window:
            time.sleep(10)
            running = threading.Thread(target=fit)
            running.start()
            time.sleep(15)
            IOLoop().run_sync(lambda: save_picture(window))
            print("in the middle of the search" if running.is_alive() else "too late: let the search have more fits")
            running.join()


if __name__ == "__main__":
    main()
