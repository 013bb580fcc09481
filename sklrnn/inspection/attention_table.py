"""The attention weights of a translator as a table with its tokens."""

from typing import Any

import pandas as pd

from sklrnn.inspection.fitted_network import last_estimator
from sklrnn.preprocessing.token_encoder import UNKNOWN
from sklrnn.translation.translator import SequenceTranslator


def attention(est: Any, text: Any) -> pd.DataFrame:
    """Give the attention weights of the decoder for one sequence: what it looked at when it predicted each step.

    Parameters
    ----------
    est : estimator
        A fitted `SequenceTranslator` with ``attention=True``, a pipeline that ends with one, or a search over them.
    text : str, or sequence of tokens, integers or numbers
        One sequence of the kind of those in ``fit``.

    Returns
    -------
    weights : DataFrame
        A row for each step of the prediction, a column for each step of the input; rows sum to 1. Both are labelled
        ``(step, token)``, or with the ``step`` alone where sequences hold numbers. A token that the translator does not
        know has the weight of the unknown token that is read in its place.

    See Also
    --------
    AttentionDisplay : A plot of the weights.
    sklrnn.SequenceTranslator.attention_weights : The weights of many sequences as arrays.

    Examples
    --------
    >>> from sklrnn import SequenceTranslator
    >>> from sklrnn.inspection import attention
    >>> texts = [a + b for a in "abcd" for b in "abcd"]
    >>> model = SequenceTranslator(units=16, attention=True, max_epochs=60, random_state=0)
    >>> weights = attention(model.fit(texts, [text[::-1] for text in texts]), "ab")
    >>> weights.index.tolist(), weights.columns.tolist()
    ([(0, 'b'), (1, 'a')], [(0, 'a'), (1, 'b')])
    """
    translator = last_estimator(est)[0]
    if not isinstance(translator, SequenceTranslator):
        raise TypeError(
            "Attention is that of a SequenceTranslator, alone, as the last step of a Pipeline, or as the best "
            f"estimator of a search; got {translator!r}."
        )
    _check_single(est, text)
    _, X = last_estimator(est, [text])
    (weights,) = translator.attention_weights(X)
    return pd.DataFrame(weights, index=_predicted_steps(translator, X), columns=_input_steps(translator, X, weights))


def _check_single(est: Any, text: Any) -> None:
    """Refuse a list of texts, which would be read as the tokens of one."""
    encoder = getattr(last_estimator(est)[0], "input_encoder_", None)
    is_list = isinstance(text, list | tuple) and any(isinstance(token, str) for token in text)
    if encoder is not None and is_list and encoder._reads_strings:
        raise ValueError(
            f"text must be one string, as this translator was fitted on strings, got a list of {len(text)}. Pass one "
            "of them."
        )


def _predicted_steps(translator: SequenceTranslator, X: Any) -> pd.Index:
    (codes,) = translator._predicted(translator._check_X(X, reset=False))
    if translator.output_encoder_ is None:
        return pd.RangeIndex(len(codes), name="step")
    tokens = list(translator.output_encoder_.vocabulary_)
    return _labelled([tokens[code] for code in codes])


def _input_steps(translator: SequenceTranslator, X: Any, weights: Any) -> pd.Index:
    encoder = translator.input_encoder_
    if encoder is None:
        return pd.RangeIndex(weights.shape[1], name="step")
    (tokens,) = encoder.split(X)
    if encoder.unknown == "drop":
        tokens = [token for token in tokens if token in encoder.vocabulary_]
    return _labelled(tokens or [UNKNOWN])


def _labelled(tokens: list[Any]) -> pd.Index:
    return pd.MultiIndex.from_arrays([range(len(tokens)), tokens], names=["step", "token"])
