"""Loaders of a text and of images that are downloaded."""

import os
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from sklrnn.datasets._download import DownloadOptions, RemoteFile, read_remote
from sklrnn.datasets._forms import describe, give
from sklrnn.datasets._remote_sources import MNIST, SHAKESPEARE

Part = Literal["train", "test", "all"]
_UNSIGNED_BYTES = 8  # the type of the values, in the third byte of an IDX file


def fetch_tiny_shakespeare(
    *,
    data_home: "str | os.PathLike[str] | None" = None,
    download_if_missing: bool = True,
    n_retries: int = 3,
    progressbar: bool = True,
) -> Any:
    """Load a megabyte of Shakespeare's plays, for a language model of characters; download it if necessary.

    1,115,394 characters, 65 different ones: the speeches of several plays, each after the name of who speaks.

    Parameters
    ----------
    data_home : str or path, default=None
        The folder of downloads; see :func:`get_data_home`.

    download_if_missing : bool, default=True
        Download the file if the folder has none; with False this is an OSError.

    n_retries : int, default=3
        How often a download that fails is tried again.

    progressbar : bool, default=True
        Show how far the download is.

    Returns
    -------
    sklearn.utils.Bunch
        ``data``, the text (one str), and ``DESCR``. A language model has no target of its own.

    See Also
    --------
    sklrnn.datasets.load_names : Family names of 18 languages.
    sklrnn.datasets.get_data_home : Where downloads are kept.

    Notes
    -----
    Source: ``karpathy/char-rnn``. The text is in the public domain.

    Examples
    --------
    >>> from sklrnn.datasets import fetch_tiny_shakespeare
    >>> text = fetch_tiny_shakespeare().data  # doctest: +SKIP
    >>> print(text[:65])  # doctest: +SKIP
    First Citizen:
    Before we proceed any further, hear me speak.
    <BLANKLINE>
    All:
    """
    from sklearn.utils import Bunch

    options = DownloadOptions(data_home, download_if_missing, n_retries, progressbar)
    text = read_remote(SHAKESPEARE, options).decode()
    return Bunch(data=text, DESCR=describe(fetch_tiny_shakespeare))


def fetch_mnist(
    *,
    subset: Part = "train",
    return_X_y: bool = False,
    as_frame: bool = False,
    data_home: "str | os.PathLike[str] | None" = None,
    download_if_missing: bool = True,
    n_retries: int = 3,
    progressbar: bool = True,
) -> Any:
    """Load images of handwritten digits as sequences of 28 rows with 28 pixels; download them if necessary (12 MB).

    60,000 images for training and 10,000 for testing. Pixels are whole numbers from 0 (white) to 255.

    Parameters
    ----------
    subset : {"train", "test", "all"}, default="train"
        Which images; "all" has those for training first.

    return_X_y : bool, default=False
        Return ``(X, y)`` instead of a Bunch.

    as_frame : bool, default=False
        Give a table of 784 pixels in a row, ``pixel1`` first, instead of an array of images.

    data_home : str or path, default=None
        The folder of downloads; see :func:`get_data_home`. The files lie in its folder ``mnist``.

    download_if_missing : bool, default=True
        Download the files if the folder has none; with False this is an OSError.

    n_retries : int, default=3
        How often a download that fails is tried again.

    progressbar : bool, default=True
        Show how far the download is.

    Returns
    -------
    sklearn.utils.Bunch
        ``data``, uint8 of shape (image, 28, 28): rows as time steps; ``target``, the digits from 0 to 9; ``frame``,
        ``feature_names``, ``target_names`` and ``DESCR``.

    See Also
    --------
    sklrnn.datasets.get_data_home : Where downloads are kept.

    Notes
    -----
    Source: Y. LeCun, C. Cortes and C. J. C. Burges, *The MNIST database of handwritten digits*. Its copies state
    various licences (MIT, Apache-2.0, BSD).

    Examples
    --------
    >>> from sklrnn.datasets import fetch_mnist
    >>> X, y = fetch_mnist(return_X_y=True)  # doctest: +SKIP
    >>> X.shape, y[:5]  # doctest: +SKIP
    ((60000, 28, 28), array([5, 0, 4, 1, 9]))
    """
    if subset not in get_args(Part):
        raise ValueError(f"subset must be one of {', '.join(map(repr, get_args(Part)))}, got {subset!r}.")
    options = DownloadOptions(data_home, download_if_missing, n_retries, progressbar)
    parts = list(MNIST) if subset == "all" else [subset]
    images, labels = (
        np.concatenate([_read_idx(MNIST[part][which], options, n_axes) for part in parts])
        for which, n_axes in enumerate((3, 1))
    )
    target = labels.astype(np.int64)
    names = [f"pixel{number}" for number in range(1, images[0].size + 1)]
    if not as_frame:
        return give(
            fetch_mnist,
            images,
            target,
            return_X_y=return_X_y,
            frame=None,
            feature_names=names,
            target_names=["digit"],
        )
    import pandas as pd

    X = pd.DataFrame(images.reshape(len(images), -1), columns=names)
    y = pd.Series(target, name="digit")
    return give(
        fetch_mnist, X, y, return_X_y=return_X_y, frame=X.assign(digit=y), feature_names=names, target_names=["digit"]
    )


def _read_idx(file: RemoteFile, options: DownloadOptions, n_axes: int) -> NDArray[np.uint8]:
    """An array of bytes from an IDX file: two zeros, type, number of axes, their lengths, values."""
    content = read_remote(file, options)
    if content[:4] != bytes([0, 0, _UNSIGNED_BYTES, n_axes]):
        raise ValueError(f"{file.name} is no IDX file of bytes with {n_axes} axes. Replace it by that at {file.url}.")
    lengths = np.frombuffer(content, ">u4", count=n_axes, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * n_axes).reshape(lengths)
