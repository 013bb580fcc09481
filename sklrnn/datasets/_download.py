"""Files that are downloaded once, checked, and kept: the data folder and what lies in it.

A file may also be put into the folder by hand, plain or compressed. pooch is needed for a download only.
"""

import gzip
import hashlib
import os
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["DownloadOptions", "RemoteFile", "get_data_home", "read_remote"]

_COMPRESSED = ("", ".gz", ".zip")


@dataclass(frozen=True)
class RemoteFile:
    """A file of somebody else's server.

    ``name`` is that of the content, without an ending such as ``.gz``, and ``sha256`` that of the content too: a copy
    may be compressed otherwise. ``download_sha256`` is that of what the server sends, where this is compressed. None
    means that no hash is known; then the loader checks columns and rows.
    """

    name: str
    url: str
    sha256: str | None
    download_sha256: str | None = None

    @property
    def download_name(self) -> str:
        ending = Path(self.url).suffix
        return self.name + (ending if ending in _COMPRESSED else "")

    @property
    def known_hash(self) -> str | None:
        known = self.sha256 if self.download_name == self.name else self.download_sha256
        return f"sha256:{known}" if known else None


@dataclass(frozen=True)
class DownloadOptions:
    """What a user asks of a download."""

    data_home: "str | os.PathLike[str] | None"
    download_if_missing: bool
    n_retries: int
    progressbar: bool


def get_data_home(data_home: "str | os.PathLike[str] | None" = None) -> str:
    """Return the folder in which the ``fetch_`` functions keep their files.

    Parameters
    ----------
    data_home : str or path, default=None
        The folder. None means the one that the environment variable ``SKLRNN_DATA`` names, and without it the
        user's cache, such as ``~/.cache/sklrnn`` on Linux.

    Returns
    -------
    str
        The folder, which the first download creates.

    See Also
    --------
    sklrnn.datasets.fetch_jena_climate : Weather every ten minutes, to download.

    Examples
    --------
    >>> import os
    >>> from sklrnn.datasets import get_data_home
    >>> os.environ["SKLRNN_DATA"] = "/data/series"
    >>> get_data_home()
    '/data/series'
    >>> del os.environ["SKLRNN_DATA"]
    """
    folder = data_home or os.environ.get("SKLRNN_DATA") or _user_cache()
    return os.path.expanduser(folder)


def read_remote(file: RemoteFile, options: DownloadOptions) -> bytes:
    """The content of a file, from the data folder or else from its server."""
    folder = Path(get_data_home(options.data_home))
    there = [path for ending in _COMPRESSED if (path := folder / f"{file.name}{ending}").is_file()]
    path = there[0] if there else _download(file, folder, options)
    content = _decompress(path)
    found = hashlib.sha256(content).hexdigest()
    if file.sha256 not in (None, found):
        raise ValueError(
            f"{path} does not hold the data that this loader knows: the SHA-256 of its content is {found}, expected "
            f"{file.sha256}. Delete it, so that it is downloaded again, or replace it by the file at {file.url}."
        )
    return content


def _download(file: RemoteFile, folder: Path, options: DownloadOptions) -> Path:
    path = folder / file.download_name
    by_hand = (
        f"Without a connection, save {file.url} as {path} by hand, or let data_home or the environment variable "
        f"SKLRNN_DATA name a folder that holds {file.download_name}."
    )
    if not options.download_if_missing:
        raise OSError(f"{path} does not exist, and download_if_missing=False forbids to download it. {by_hand}")
    pooch = _import_pooch(by_hand)
    manager = pooch.create(
        path=folder,
        base_url="",
        registry={file.download_name: file.known_hash},
        urls={file.download_name: file.url},
        retry_if_failed=options.n_retries,
    )
    try:
        return Path(manager.fetch(file.download_name, progressbar=options.progressbar))
    except (OSError, ValueError) as error:  # those of requests are OSErrors; a wrong hash is a ValueError
        raise OSError(f"Could not download {file.url} ({error}). {by_hand}") from error


def _decompress(path: Path) -> bytes:
    content = path.read_bytes()
    try:
        if path.suffix == ".gz":
            return gzip.decompress(content)
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                return archive.read(path.stem)
    except (OSError, EOFError, KeyError, zlib.error, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is damaged ({error}). Delete it, so that it is downloaded again.") from error
    return content


def _user_cache() -> str:
    pooch = _import_pooch("Or set data_home, or the environment variable SKLRNN_DATA, to a folder that holds the file.")
    return str(pooch.os_cache("sklrnn"))


def _import_pooch(otherwise: str) -> Any:
    try:
        import pooch
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "Downloads need pooch, which is not installed. Install it with 'python -m pip install pooch' or "
            f"'python -m pip install \"sklrnn[data]\"'. {otherwise}"
        ) from error
    return pooch
