"""Where the files that are downloaded come from, and what must be found in them."""

from dataclasses import dataclass

from sklrnn.datasets._download import RemoteFile

__all__ = ["MNIST", "SHAKESPEARE", "TABLES", "RemoteTable"]

_GITHUB = "https://raw.githubusercontent.com"


@dataclass(frozen=True)
class RemoteTable:
    """A file of comma-separated values, and what a loader must find in it."""

    file: RemoteFile
    time: str
    columns: tuple[str, ...]
    n_rows: int
    target: str
    freq: str | None = None
    date_format: str | None = None


def _ett(name: str, sha256: str | None) -> RemoteTable:
    hourly = name.startswith("ETTh")
    return RemoteTable(
        RemoteFile(f"{name}.csv", f"{_GITHUB}/zhouhaoyi/ETDataset/main/ETT-small/{name}.csv", sha256),
        "date",
        ("HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT"),
        17_420 if hourly else 69_680,
        "OT",
        "h" if hourly else "15min",
    )


TABLES = {
    "jena": RemoteTable(
        RemoteFile(
            "jena_climate_2009_2016.csv",
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/jena_climate_2009_2016.csv.zip",
            None,  # no hash is known: columns and rows are checked
        ),
        "Date Time",
        (
            "p (mbar)",
            "T (degC)",
            "Tpot (K)",
            "Tdew (degC)",
            "rh (%)",
            "VPmax (mbar)",
            "VPact (mbar)",
            "VPdef (mbar)",
            "sh (g/kg)",
            "H2OC (mmol/mol)",
            "rho (g/m**3)",
            "wv (m/s)",
            "max. wv (m/s)",
            "wd (deg)",
        ),
        420_551,
        "T (degC)",
        date_format="%d.%m.%Y %H:%M:%S",
    ),
    "electricity": RemoteTable(
        RemoteFile(
            "opsd_germany_daily.csv",
            f"{_GITHUB}/jenfly/opsd/master/opsd_germany_daily.csv",
            "729b025d984497827cb6b89048d7c2c6a551e7aa727bc47ea0b74a2d1e84675d",
        ),
        "Date",
        ("Consumption", "Wind", "Solar", "Wind+Solar"),
        4_383,
        "Consumption",
        "D",
    ),
    "bitcoin": RemoteTable(
        RemoteFile(
            "bitcoin.csv",
            f"{_GITHUB}/skforecast/skforecast-datasets/main/data/bitcoin.csv",
            "7086d70750209cb80bea1e50515e5d6b2df6b980e4826ffa8159c4f0303ec06c",
        ),
        "date",
        ("open", "high", "low", "close", "volume", "market cap"),
        3_171,
        "close",
        "D",
    ),
    "ETTh1": _ett("ETTh1", "f18de3ad269cef59bb07b5438d79bb3042d3be49bdeecf01c1cd6d29695ee066"),
    # No hash of the other three is known: columns and rows are checked.
    **{name: _ett(name, None) for name in ("ETTh2", "ETTm1", "ETTm2")},
}

SHAKESPEARE = RemoteFile(
    "tinyshakespeare.txt",
    f"{_GITHUB}/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
    "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
)


def _mnist(name: str, sha256: str, download_sha256: str) -> RemoteFile:
    url = f"https://storage.googleapis.com/cvdf-datasets/mnist/{name}.gz"
    return RemoteFile(f"mnist/{name}", url, sha256, download_sha256)


# Images and labels of each part.
MNIST = {
    "train": (
        _mnist(
            "train-images-idx3-ubyte",
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        ),
        _mnist(
            "train-labels-idx1-ubyte",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        ),
    ),
    "test": (
        _mnist(
            "t10k-images-idx3-ubyte",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        ),
        _mnist(
            "t10k-labels-idx1-ubyte",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        ),
    ),
}
