"""Loaders that download. Their files come from a server on the loopback interface; nothing else may be reached."""

import gc
import gzip
import hashlib
import io
import re
import socket
import sys
import threading
import zipfile
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.utils import Bunch

from sklrnn import datasets
from sklrnn.datasets import (
    _remote_sequences,
    _remote_sources,
    _remote_tables,
    fetch_bitcoin,
    fetch_ett,
    fetch_german_electricity,
    fetch_jena_climate,
    fetch_mnist,
    fetch_tiny_shakespeare,
    get_data_home,
)

TABLES = {
    "bitcoin": fetch_bitcoin,
    "electricity": fetch_german_electricity,
    "ETTh1": fetch_ett,
    "jena": fetch_jena_climate,
}
FETCHERS = [*TABLES.values(), fetch_mnist, fetch_tiny_shakespeare]
every_fetcher = pytest.mark.parametrize("fetch", FETCHERS, ids=lambda fetch: fetch.__name__)
every_table = pytest.mark.parametrize(("name", "fetch"), TABLES.items(), ids=list(TABLES))
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
TEXT = "First Citizen:\nBefore we proceed any further, hear me speak.\n"


# -- a server with small files in the form of the real ones ------------------------------------------------------------


class Server:
    def __init__(self):
        self.files, self.asked, self.failures = {}, [], 0
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                server.asked.append(self.path)
                content = server.files.get(self.path)
                if server.failures or content is None:
                    server.failures -= 1
                    self.send_error(503)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def close(self):
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()

    def serve(self, file, content):
        """Serve the content of a file, compressed as its address says, and return where it now comes from."""
        path = "/" + file.url.rpartition("/")[2]
        self.files[path] = sent = compress(path, content)
        sha256 = [hashlib.sha256(data).hexdigest() if file.sha256 else None for data in (content, sent)]
        url = f"http://127.0.0.1:{self.http.server_port}{path}"
        return replace(file, url=url, sha256=sha256[0], download_sha256=sha256[1])


def compress(path, content):
    if path.endswith(".gz"):
        return gzip.compress(content)
    if not path.endswith(".zip"):
        return content
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(path[1:].removesuffix(".zip"), content)
    return packed.getvalue()


def table_of(name, n_rows=4):
    source = _remote_sources.TABLES[name]
    times = pd.date_range("2016-07-01", periods=n_rows, freq=source.freq or "10min")
    values = np.arange(n_rows * len(source.columns), dtype=float).reshape(n_rows, -1)
    frame = pd.DataFrame(values, columns=list(source.columns))
    if name == "jena":
        frame.loc[2, "wv (m/s)"] = -9999.0
    frame.insert(0, source.time, times.strftime(source.date_format or "%Y-%m-%d %H:%M:%S"))
    return frame.to_csv(index=False).encode()


def idx(array):
    lengths = np.array(array.shape, dtype=">u4").tobytes()
    return bytes([0, 0, 8, array.ndim]) + lengths + array.astype(np.uint8).tobytes()


IMAGES = np.random.default_rng(0).integers(0, 256, (5, 28, 28))
LABELS = np.array([5, 0, 4, 1, 9])


@pytest.fixture
def server(monkeypatch, tmp_path):
    server = Server()
    connect = socket.socket.connect

    def connect_to_loopback_only(self, address):
        assert address == ("127.0.0.1", server.http.server_port), f"a test must not connect to {address}"
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect_to_loopback_only)
    monkeypatch.setenv("SKLRNN_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("pooch.core.time", SimpleNamespace(sleep=lambda _: None))  # the wait before the next try
    tables = {
        name: replace(table, file=server.serve(table.file, table_of(name)), n_rows=4)
        for name, table in _remote_sources.TABLES.items()
    }
    monkeypatch.setattr(_remote_tables, "TABLES", tables)
    shakespeare = server.serve(_remote_sources.SHAKESPEARE, TEXT.encode())
    monkeypatch.setattr(_remote_sequences, "SHAKESPEARE", shakespeare)
    mnist = {
        part: (server.serve(files[0], idx(IMAGES + offset)), server.serve(files[1], idx(LABELS)))
        for offset, (part, files) in enumerate(_remote_sources.MNIST.items())
    }
    monkeypatch.setattr(_remote_sequences, "MNIST", mnist)
    yield server
    server.close()
    gc.collect()  # pooch leaves it to the garbage collector to close a connection


@pytest.fixture
def data_home(tmp_path, server):
    return tmp_path / "data"


# -- the files and the folder ------------------------------------------------------------------------------------------


@every_fetcher
def test_files_are_downloaded_once(fetch, server):
    first = fetch()
    n_asked = len(server.asked)
    assert n_asked
    second = fetch(download_if_missing=False)
    assert len(server.asked) == n_asked
    assert_array_equal(first.data, second.data)
    assert isinstance(first, Bunch)
    assert "Source: " in first.DESCR


def test_a_folder_of_ones_own_is_preferred_to_the_variable(server, data_home, tmp_path):
    fetch_bitcoin(data_home=tmp_path / "mine")
    assert (tmp_path / "mine" / "bitcoin.csv").is_file()
    assert not data_home.exists()


def test_without_a_folder_the_cache_of_the_user_is_taken(monkeypatch):
    monkeypatch.delenv("SKLRNN_DATA", raising=False)
    assert "sklrnn" in get_data_home()
    monkeypatch.setenv("SKLRNN_DATA", "~/series")
    assert "~" not in get_data_home()
    assert get_data_home("here") == "here"


@every_fetcher
def test_a_missing_file_that_may_not_be_downloaded_is_an_error(fetch, server, data_home):
    with pytest.raises(OSError, match="download_if_missing=False") as error:
        fetch(download_if_missing=False)
    assert str(data_home) in str(error.value)
    assert server.asked == []


def test_a_download_that_fails_is_tried_again(server):
    server.failures = 2
    assert fetch_bitcoin(n_retries=2).data.shape == (4, 6)
    assert len(server.asked) == 3


def test_without_a_connection_the_error_says_where_to_put_the_file(server, data_home):
    server.failures = 99
    with pytest.raises(OSError, match="Could not download") as error:
        fetch_bitcoin(n_retries=1)
    message = str(error.value)
    assert (
        f"save http://127.0.0.1:{server.http.server_port}/bitcoin.csv as {data_home / 'bitcoin.csv'} by hand" in message
    )
    assert "SKLRNN_DATA" in message
    assert len(server.asked) == 2


def test_another_file_than_the_known_one_is_refused_and_not_kept(server, data_home):
    server.files["/bitcoin.csv"] += b"\n"
    with pytest.raises(OSError, match="SHA256 hash"):
        fetch_bitcoin(n_retries=0)
    assert list(data_home.iterdir()) == []


def test_progress_is_shown_unless_it_is_not_wanted(server, capfd):
    fetch_bitcoin()
    assert "100%" in capfd.readouterr().err
    fetch_german_electricity(progressbar=False)
    assert "%" not in capfd.readouterr().err


@pytest.mark.parametrize("ending", ["", ".gz", ".zip"])
def test_a_file_may_be_put_there_by_hand(server, data_home, ending, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    data_home.mkdir()
    (data_home / f"bitcoin.csv{ending}").write_bytes(compress(f"/bitcoin.csv{ending}", table_of("bitcoin")))
    assert fetch_bitcoin().data.shape == (4, 6)
    assert server.asked == []


def test_without_pooch_a_download_says_how_to_install_it(server, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(ModuleNotFoundError, match="pip install pooch.*save http"):
        fetch_bitcoin()
    monkeypatch.delenv("SKLRNN_DATA")
    with pytest.raises(ModuleNotFoundError, match="pip install pooch.*SKLRNN_DATA"):
        get_data_home()


def test_a_wrong_file_put_there_by_hand_is_refused_and_kept(server, data_home):
    data_home.mkdir()
    place = data_home / "bitcoin.csv"
    place.write_text("date,close\n")
    with pytest.raises(ValueError, match=f"{re.escape(str(place))} does not hold .* Delete it"):
        fetch_bitcoin()
    assert place.read_text() == "date,close\n"
    assert server.asked == []


@pytest.mark.parametrize("ending", [".gz", ".zip"])
def test_a_damaged_file_is_an_error_that_names_it(server, data_home, ending):
    data_home.mkdir()
    (data_home / f"bitcoin.csv{ending}").write_bytes(compress(f"/bitcoin.csv{ending}", table_of("bitcoin"))[:-30])
    with pytest.raises(ValueError, match=f"bitcoin.csv{ending} is damaged"):
        fetch_bitcoin()


def test_hashes_are_known_but_for_jena_and_three_of_ett():
    files = {name: table.file for name, table in _remote_sources.TABLES.items()}
    assert {name for name, file in files.items() if file.sha256 is None} == {"jena", "ETTh2", "ETTm1", "ETTm2"}
    mnist = [file for pair in _remote_sources.MNIST.values() for file in pair]
    for file in [*files.values(), *mnist, _remote_sources.SHAKESPEARE]:
        assert file.url.startswith("https://")
        assert (file.known_hash is None) == (file.sha256 is None)
        assert file.sha256 is None or re.fullmatch("sha256:[0-9a-f]{64}", file.known_hash)


# -- what the loaders give ---------------------------------------------------------------------------------------------


@every_table
def test_tables_have_the_columns_and_times_of_the_file(server, name, fetch):
    source = _remote_sources.TABLES[name]
    bunch = fetch(**({"fill": False} if name == "jena" else {}))
    assert bunch.feature_names == list(bunch.data.columns) == list(source.columns)
    assert bunch.target_names == [source.target]
    assert bunch.target.equals(bunch.frame[source.target])
    assert bunch.frame.index.freqstr == source.freq
    assert bunch.frame.index[0] == pd.Timestamp("2016-07-01")
    expected = np.arange(4.0 * len(source.columns)).reshape(4, -1)
    known = bunch.data.notna().to_numpy()
    assert_array_equal(bunch.data.to_numpy()[known], expected[known])
    assert (~known).sum() == (name == "jena")


@every_table
def test_tables_come_as_arrays_too(server, name, fetch):
    frames, arrays = fetch(), fetch(as_frame=False)
    assert arrays.frame is None
    assert_array_equal(arrays.data, frames.data)
    assert_array_equal(arrays.target, frames.target)
    assert arrays.index.equals(frames.frame.index)
    X, y = fetch(return_X_y=True)
    assert X.equals(frames.data)
    assert y.equals(frames.target)


def test_missing_wind_of_jena_is_filled_with_the_last_value_unless_told_otherwise(server):
    raw, filled = fetch_jena_climate(fill=False).frame, fetch_jena_climate().frame
    assert np.isnan(raw["wv (m/s)"].iloc[2])
    assert filled["wv (m/s)"].iloc[2] == raw["wv (m/s)"].iloc[1]
    assert raw.isna().sum().sum() == 1


def test_jena_may_hold_a_time_twice(server, monkeypatch):
    jena = _remote_tables.TABLES["jena"]
    lines = table_of("jena").splitlines(keepends=True)
    file = server.serve(jena.file, b"".join([*lines, lines[-1]]))
    monkeypatch.setitem(_remote_tables.TABLES, "jena", replace(jena, file=file, n_rows=5))
    assert fetch_jena_climate().frame.index.duplicated().sum() == 1


def test_a_table_without_a_known_hash_must_have_the_known_columns_and_rows(server, monkeypatch):
    for content, found in ((table_of("jena", 3), "has 3 rows"), (table_of("ETTh1"), "has 4 rows of .'date', 'HUFL'")):
        jena = _remote_tables.TABLES["jena"]
        monkeypatch.setitem(_remote_tables.TABLES, "jena", replace(jena, file=server.serve(jena.file, content)))
        with pytest.raises(ValueError, match=f"jena_climate_2009_2016.csv .* {found}.*expected 4 rows"):
            fetch_jena_climate(data_home=get_data_home() + found[4])


@pytest.mark.parametrize("subset", ["ETTh1", "ETTh2", "ETTm1", "ETTm2"])
def test_subsets_of_ett_have_hours_or_quarters(server, subset):
    assert fetch_ett(subset=subset).frame.index.freqstr == ("h" if "h" in subset else "15min")
    assert server.asked == [f"/{subset}.csv"]


def test_shakespeare_is_one_text(server):
    assert fetch_tiny_shakespeare().data == TEXT


def test_mnist_is_sequences_of_rows(server):
    X, y = fetch_mnist(return_X_y=True)
    assert X.shape == (5, 28, 28)
    assert X.dtype == np.uint8
    assert_array_equal(X, IMAGES.astype(np.uint8))
    assert_array_equal(y, LABELS)
    assert_array_equal(fetch_mnist(subset="test").data, (IMAGES + 1).astype(np.uint8))
    both = fetch_mnist(subset="all", as_frame=True)
    assert both.frame.shape == (10, 785)
    assert_array_equal(both.data.to_numpy()[:5].reshape(5, 28, 28), X)
    assert both.feature_names[-1] == "pixel784"


@pytest.mark.parametrize("fetch", [fetch_ett, fetch_mnist], ids=lambda fetch: fetch.__name__)
def test_an_unknown_subset_is_an_error(fetch, server):
    with pytest.raises(ValueError, match="subset must be one of 'ETTh1'|subset must be one of 'train'"):
        fetch(subset="validation")
    assert server.asked == []


def test_every_public_fetcher_is_tested_here():
    assert {fetch.__name__ for fetch in FETCHERS} == {name for name in datasets.__all__ if name.startswith("fetch_")}
