"""Readers of the bundled names and sentences."""

from importlib.resources import files
from typing import TYPE_CHECKING, Any, overload

from sklrnn.datasets._forms import give, read_bundled

if TYPE_CHECKING:
    import pandas as pd


@overload
def load_names() -> "pd.DataFrame": ...
@overload
def load_names(*, return_X_y: bool = False, as_frame: bool | None = None) -> Any: ...
def load_names(*, return_X_y: bool = False, as_frame: bool | None = None) -> Any:
    """Load family names and the languages that they come from.

    20,050 names in 18 languages, one language after the other: shuffle them before you hold any out. Nearly half are
    Russian, 73 are Vietnamese; 2,038 rows repeat a name of the same language, and some names are found in several.

    Parameters
    ----------
    return_X_y : bool, default=False
        Return ``(X, y)``: the names and their languages.

    as_frame : bool or None, default=None
        With None the table itself is returned. True and False ask for a ``Bunch``, as in scikit-learn, or for ``(X,
        y)``, with pandas objects or numpy arrays in it.

    Returns
    -------
    pandas.DataFrame of shape (20050, 2)
        ``name``, of 2 to 20 characters, and ``language``, a word. With ``as_frame`` a ``Bunch`` with the fields
        ``data``, ``target``, ``frame``, ``feature_names``, ``target_names`` and ``DESCR``.

    See Also
    --------
    sklrnn.datasets.load_wnut17 : Texts with tagged entities.
    sklrnn.datasets.fetch_tiny_shakespeare : One long text, to download.

    Notes
    -----
    Source: the tutorial *Classifying Names with a Character-Level RNN* of ``spro/practical-pytorch``. Licence: MIT,
    copyright (c) 2017 Sean Robertson; its text is in the file ``NOTICE`` beside the data.

    Examples
    --------
    >>> from sklrnn.datasets import load_names
    >>> load_names().tail(2)
            name    language
    20048  Vuong  Vietnamese
    20049    Vuu  Vietnamese
    >>> X, y = load_names(return_X_y=True)
    >>> X.iloc[0], y.iloc[0]
    ('Khoury', 'Arabic')
    """
    # Whatever reads like a missing value would be a name here.
    table = read_bundled("names.tsv.gz", sep="\t", names=["language", "name"], keep_default_na=False)
    table = table[["name", "language"]]
    if as_frame is None and not return_X_y:
        return table
    in_pandas = as_frame is not False
    X, y = table["name"], table["language"]
    return give(
        load_names,
        X if in_pandas else X.to_numpy(object),
        y if in_pandas else y.to_numpy(object),
        return_X_y=return_X_y,
        frame=table if in_pandas else None,
        feature_names=["name"],
        target_names=["language"],
    )


def load_wnut17(*, return_X_y: bool = False, as_frame: bool = False) -> Any:
    """Load comments from the web in which people, places and other entities are tagged (WNUT-17).

    1,009 comments of 15,733 words and signs in all, the development part of the shared task on novel and emerging
    entities. Tags are BIO: ``B-person`` begins the name of a person, ``I-person`` continues it, ``O`` is outside; the
    others are ``corporation``, ``creative-work``, ``group``, ``location`` and ``product``. 14,483 tags are ``O``, so
    score entities (``sklrnn.metrics.entity_f1_score``) rather than steps.

    Parameters
    ----------
    return_X_y : bool, default=False
        Return ``(X, y)`` instead of a Bunch.

    as_frame : bool, default=False
        Give a table with a row for each word, for looking at the data: estimators take the lists.

    Returns
    -------
    sklearn.utils.Bunch
        ``data``, a list with the words of each comment (a list of str); ``target``, a list with their tags (an array of
        str); ``target_names``, the 13 tags; ``DESCR``; and ``frame``, with ``as_frame=True`` a table with the columns
        ``sentence``, ``token`` and ``tag``, of which ``data`` and ``target`` are then columns.

    See Also
    --------
    sklrnn.datasets.load_names : Family names of 18 languages.

    Notes
    -----
    Source: ``emerging.dev.conll`` of ``leondz/emerging_entities_17``, unchanged. Licence: CC BY 4.0.

    References
    ----------
    L. Derczynski, E. Nichols, M. van Erp and N. Limsopatham, *Results of the WNUT2017 Shared Task on Novel and Emerging
    Entity Recognition*, Proceedings of the 3rd Workshop on Noisy User-generated Text, 2017.

    Examples
    --------
    >>> from sklrnn.datasets import load_wnut17
    >>> X, y = load_wnut17(return_X_y=True)
    >>> X[3][:4], y[3][:4].tolist()
    (['wow', 'emma', 'and', 'kaite'], ['O', 'B-person', 'O', 'B-person'])
    """
    import numpy as np

    words, tags = _read_conll("wnut17.conll.gz")
    names = sorted({tag for sentence in tags for tag in sentence})
    if not as_frame:
        arrays = [np.array(sentence) for sentence in tags]
        return give(load_wnut17, words, arrays, return_X_y=return_X_y, frame=None, target_names=names)
    import pandas as pd

    rows = [
        (number, *pair)
        for number, sentence in enumerate(zip(words, tags, strict=True))
        for pair in zip(*sentence, strict=True)
    ]
    frame = pd.DataFrame(rows, columns=["sentence", "token", "tag"])
    X, y = frame[["sentence", "token"]], frame["tag"]
    return give(load_wnut17, X, y, return_X_y=return_X_y, frame=frame, target_names=names)


def _read_conll(name: str) -> tuple[list[list[str]], list[list[str]]]:
    """Words and tags of each sentence, from lines of a word, a tab and its tag, with an empty line between sentences.

    Only a newline ends a line: some words hold other characters that ``str.splitlines`` takes for line ends.
    """
    import gzip

    text = gzip.decompress((files("sklrnn.datasets") / name).read_bytes()).decode()
    sentences = [[line.split("\t") for line in block.split("\n") if line] for block in text.split("\n\n")]
    pairs = [list(zip(*sentence, strict=True)) for sentence in sentences if sentence]
    return [list(words) for words, _ in pairs], [list(tags) for _, tags in pairs]
