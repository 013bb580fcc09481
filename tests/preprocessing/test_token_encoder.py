import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline

from sklrnn import GRUClassifier, GRURegressor, TokenEncoder
from sklrnn.inputs.ragged import as_object_array

TEXTS = ["banana", "", "Cab!"]
SENTENCES = ["Don't stop.", "Stop - or  don't", "a_b 42"]
LISTS = [["to", "be"], [], ("or", "not", "to")]
MELODIES = [np.array([60, 64, 67]), [67, 60], np.array([], dtype=int)]


def as_lists(codes):
    return [row.tolist() for row in codes]


# -- coding ------------------------------------------------------------------------------------------------------------


def test_characters():
    encoder = TokenEncoder().fit(TEXTS)
    assert encoder.vocabulary_ == {"<unknown>": 0, "!": 1, "C": 2, "a": 3, "b": 4, "n": 5}
    assert encoder.n_tokens_ == 6
    codes = encoder.transform(TEXTS)
    assert codes.shape == (3,)
    assert codes.dtype == object
    assert as_lists(codes) == [[4, 3, 5, 3, 5, 3], [0], [2, 3, 4, 1]]
    assert {row.dtype for row in codes} == {np.dtype(np.int64)}


def test_words():
    encoder = TokenEncoder(analyzer="word").fit(SENTENCES)
    assert list(encoder.vocabulary_)[1:] == ["-", ".", "42", "Don't", "Stop", "a_b", "don't", "or", "stop"]
    assert encoder.inverse_transform(encoder.transform(SENTENCES)) == ["Don't stop .", "Stop - or don't", "a_b 42"]


def test_small_letters():
    encoder = TokenEncoder(analyzer="word", lowercase=True).fit(SENTENCES)
    assert list(encoder.vocabulary_)[1:] == ["-", ".", "42", "a_b", "don't", "or", "stop"]
    assert_array_equal(encoder.transform(["STOP"])[0], encoder.transform(["stop"])[0])
    assert list(TokenEncoder(lowercase=True).fit([["To", "to"]]).vocabulary_) == ["<unknown>", "to"]


@pytest.mark.parametrize(
    ("texts", "options"),
    [(TEXTS, {}), (LISTS, {}), (LISTS, {"analyzer": "word"}), (MELODIES, {}), (MELODIES, {"lowercase": True})],
)
@pytest.mark.parametrize("unknown", ["mark", "drop", "error"])
@pytest.mark.parametrize("mark_ends", [False, True])
def test_what_was_split_comes_back_whole(texts, options, unknown, mark_ends):
    encoder = TokenEncoder(unknown=unknown, mark_ends=mark_ends, **options)
    codes = encoder.fit_transform(texts)
    back = encoder.inverse_transform(codes)
    # An empty text cannot be told from an unknown token where both are one mark.
    kept = [row for row, text in enumerate(texts) if len(text) or unknown != "mark" or mark_ends]
    assert [list(back[row]) for row in kept] == [list(texts[row]) for row in kept]
    assert {type(text) for text in back} == {str if texts is TEXTS else list if texts is LISTS else np.ndarray}
    assert sorted(encoder.vocabulary_.values()) == list(range(encoder.n_tokens_))
    if mark_ends:
        start, end = encoder.vocabulary_["<start>"], encoder.vocabulary_["<end>"]
        assert all(row[0] == start and row[-1] == end for row in codes)
        assert not any({start, end} & {*row[1:-1]} for row in codes)


def test_codes_do_not_depend_on_the_order_of_texts():
    assert TokenEncoder().fit(TEXTS).vocabulary_ == TokenEncoder().fit(TEXTS[::-1]).vocabulary_


def test_rare_tokens_are_not_known():
    assert list(TokenEncoder(min_count=2).fit(["banana", "cab"]).vocabulary_) == ["<unknown>", "a", "b", "n"]
    assert list(TokenEncoder(max_tokens=2).fit(["banana", "cab"]).vocabulary_) == ["<unknown>", "a", "b"]
    assert list(TokenEncoder(max_tokens=99).fit(["cab"]).vocabulary_) == ["<unknown>", "a", "b", "c"]
    marked = TokenEncoder(max_tokens=1, mark_ends=True).fit([["b", "b", "a"]])
    assert list(marked.vocabulary_) == ["<unknown>", "<start>", "<end>", "b"]


def test_what_becomes_of_unknown_tokens():
    assert as_lists(TokenEncoder().fit(["ab"]).transform(["xay"])) == [[0, 1, 0]]
    assert as_lists(TokenEncoder(unknown="drop").fit(["ab"]).transform(["xay", "xy"])) == [[1], [0]]
    with pytest.raises(ValueError, match="row 1 holds tokens that were not among those of fit: 'x', 'y'"):
        TokenEncoder(unknown="error").fit(["ab"]).transform(["a", "yxa"])
    with pytest.raises(ValueError, match="'h' and 2 more"):
        TokenEncoder(unknown="error").fit(["ab"]).transform(["defghij"])


@pytest.mark.parametrize(
    ("texts", "new", "shown"), [(["ab"], "ax", "a\ufffd"), ([["ab"]], ["ab", "x"], ["ab", "<unknown>"])]
)
def test_unknown_tokens_are_seen_in_what_comes_back(texts, new, shown):
    encoder = TokenEncoder().fit(texts)
    assert encoder.inverse_transform(encoder.transform([new])) == [shown]


def test_unknown_integers_come_back_as_minus_one():
    encoder = TokenEncoder().fit(MELODIES)
    assert_array_equal(encoder.inverse_transform(encoder.transform([[60, 61]]))[0], [60, -1])


def test_a_token_that_is_spelled_like_a_mark_is_that_mark():
    encoder = TokenEncoder(mark_ends=True).fit([["<start>", "a", "<unknown>"]])
    assert encoder.vocabulary_ == {"<unknown>": 0, "<start>": 1, "<end>": 2, "a": 3}
    assert as_lists(encoder.transform([["<unknown>"]])) == [[1, 0, 2]]
    assert "<start>" in TokenEncoder().fit([["<start>"]]).vocabulary_


# -- input -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "container",
    [
        tuple,
        np.array,
        lambda texts: np.array(texts, dtype=object),
        lambda texts: pd.Series(texts, index=[7, 8, 9]),
        lambda texts: pd.Series(texts, dtype="string"),
        lambda texts: pd.Series(texts, dtype="category"),
    ],
)
def test_containers(container):
    assert as_lists(TokenEncoder().fit_transform(container(TEXTS))) == as_lists(TokenEncoder().fit_transform(TEXTS))


def test_a_table_of_integers_holds_a_sequence_in_each_row():
    table = np.array([[5, 7], [7, 9]])
    assert as_lists(TokenEncoder().fit_transform(table)) == [[1, 2], [2, 3]]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("banana", r"got a single string.* Pass \[text\]"),
        (b"banana", "got a single string"),
        (None, "reads a list, Series or 1-D array of texts, got NoneType"),
        (3, "got int"),
        (np.array("banana"), "got ndarray"),
        (pd.DataFrame({"text": ["a"]}), "got DataFrame of 2 dimensions. Of a table pass the column"),
        (np.array([["a", "b"]]), "got ndarray of 2 dimensions"),
        ([], "needs at least one text, got none"),
        (["a", None], "Row 1 is missing: got None"),
        (["a", "b", np.nan], "Row 2 is missing: got nan"),
        (pd.Series(["a", pd.NA], dtype="string"), "Row 1 is missing: got <NA>"),
        (["a", 3], "Row 1 must be a string or a list of tokens, got int: 3"),
        (["a", {"b": 1}], "Row 1 must be a string or a list of tokens, got dict"),
        (["a", b"b"], "Row 1 must be a string or a list of tokens, got bytes"),
        ([["a", 3]], "tokens in row 0 must all be strings or all be integers, got int and str"),
        ([[1.5]], "tokens in row 0 must all be strings or all be integers, got float"),
        ([[True]], "got bool"),
        ([np.zeros((2, 2), dtype=int)], "Row 0 must be a string or a list of tokens, got ndarray"),
        (["a", "b", ["c"]], "All samples must be of one kind, got characters in row 0 and tokens in row 2"),
        (["", ""], "nothing to learn from: the 2 text.s. hold 0 tokens"),
    ],
)
def test_bad_texts(texts, message):
    encoder = TokenEncoder()
    with pytest.raises(ValueError, match=message):
        encoder.fit(texts)
    assert not hasattr(encoder, "vocabulary_")


def test_a_text_without_a_token_is_one_mark():
    assert TokenEncoder(unknown="mark").fit(["ab", ""]).vocabulary_["<unknown>"] == 0
    for unknown in ("mark", "drop", "error"):
        encoder = TokenEncoder(unknown=unknown).fit(["ab", ""])
        assert as_lists(encoder.transform(["", "b"])) == [[0], [2]]
    assert encoder.inverse_transform([[0], [2]]) == ["", "b"]
    assert as_lists(TokenEncoder(unknown="drop", mark_ends=True).fit(["ab"]).transform([""])) == [[0, 1]]


def test_texts_of_another_kind():
    with pytest.raises(ValueError, match="was fitted on characters, got tokens"):
        TokenEncoder().fit(TEXTS).transform([["banana"]])
    with pytest.raises(ValueError, match="was fitted on integers, got characters"):
        TokenEncoder().fit(MELODIES).transform(["banana"])
    assert as_lists(TokenEncoder().fit(LISTS).transform([[], ""])) == [[0], [0]]


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        ([[1], [9]], "Codes go from 0 to 5 here, got 9 to 9 in row 1"),
        ([[-1, 2]], "got -1 to 2 in row 0"),
        ([[0.5]], "Row 0 must be a 1-D array of integers, got float64"),
        ([[[1]]], r"got int64 of shape \(1, 1\)"),
        ([3], r"Row 0 must be a 1-D array of integers, got int64 of shape \(\)"),
    ],
)
def test_bad_codes(codes, message):
    with pytest.raises(ValueError, match=message):
        TokenEncoder().fit(TEXTS).inverse_transform(codes)


@pytest.mark.parametrize(
    "options",
    [
        {"analyzer": "letter"},
        {"min_count": 0},
        {"max_tokens": 0},
        {"unknown": "skip"},
        {"lowercase": "no"},
        {"mark_ends": 2},
    ],
)
def test_bad_parameters(options):
    (name,) = options
    with pytest.raises(ValueError, match=f"The '{name}' parameter of TokenEncoder must be"):
        TokenEncoder(**options).fit(TEXTS)


def test_a_failed_fit_leaves_the_fitted_encoder_as_it_was():
    encoder = TokenEncoder().fit(TEXTS)
    with pytest.raises(ValueError, match="missing"):
        encoder.fit([None])
    assert as_lists(encoder.transform(["ab"])) == [[3, 4]]


# -- scikit-learn ------------------------------------------------------------------------------------------------------


def test_not_fitted():
    with pytest.raises(sklearn.exceptions.NotFittedError):
        TokenEncoder().transform(TEXTS)
    with pytest.raises(sklearn.exceptions.NotFittedError):
        TokenEncoder().inverse_transform([[1]])


def test_copies_code_alike():
    encoder = TokenEncoder(mark_ends=True).fit(TEXTS)
    for copy in (pickle.loads(pickle.dumps(encoder)), clone(encoder).fit(TEXTS)):
        assert as_lists(copy.transform(TEXTS)) == as_lists(encoder.transform(TEXTS))
    plain = {type(value) for value in vars(encoder).values()}
    assert plain <= {str, int, bool, dict, type(None)}
    assert {type(code) for code in encoder.vocabulary_.values()} == {int}


def test_strings_are_classified_in_a_pipeline_and_a_search():
    texts = ["one two", "two three", "eins zwei", "zwei drei", "uno due", "due tre"] * 6
    languages = ["English", "English", "German", "German", "Italian", "Italian"] * 6
    network = GRUClassifier(embedding_dim=8, units=16, max_epochs=20, random_state=0)
    search = GridSearchCV(
        make_pipeline(TokenEncoder(), network), {"tokenencoder__analyzer": ["char", "word"]}, cv=2, error_score="raise"
    ).fit(texts, languages)
    assert search.best_score_ == 1.0
    assert list(search.predict(["three", "zwei ?", "tre due"])) == ["English", "German", "Italian"]


@pytest.mark.parametrize("unknown", ["mark", "drop"])
def test_a_network_reads_empty_texts_at_fit_and_at_predict(unknown):
    texts, moods = ["good", "bad", "", "good", "bad", ""] * 4, ["up", "down", "none"] * 8
    encoder = TokenEncoder(analyzer="word", unknown=unknown)
    model = make_pipeline(encoder, GRUClassifier(embedding_dim=4, units=8, max_epochs=40, random_state=0))
    assert list(model.fit(texts, moods).predict(["", "good", "bad"])) == ["none", "up", "down"]
    without = [row for row, text in enumerate(texts) if text]
    model.fit([texts[row] for row in without], [moods[row] for row in without])
    assert list(model.predict(["", "good"]))[1] == "up"


# -- tokens and measurements -------------------------------------------------------------------------------------------


def warns_of_tokens():
    return pytest.warns(UserWarning, match="token numbers of a TokenEncoder.*Set embedding_dim")


def test_tokens_in_an_estimator_without_embedding_warn_once_a_fit():
    texts, labels = ["abc", "ca", "b", "cab"] * 4, [0, 1] * 8
    network = GRUClassifier(units=2, max_epochs=1)
    with warns_of_tokens() as caught:
        make_pipeline(TokenEncoder(), network).fit(texts, labels)
    assert [warning.filename for warning in caught] == [__file__]
    with warns_of_tokens():
        GRURegressor(units=2, max_epochs=1).partial_fit(TokenEncoder().fit_transform(texts), labels)
    network.set_params(embedding_dim=2).fit(TokenEncoder().fit_transform(texts), labels)


def test_tokens_stay_marked_where_they_are_indexed_copied_and_stored():
    codes = TokenEncoder().fit_transform(["abc", "ca", "b", "cab"] * 4)
    labels = [0, 1] * 8
    part = train_test_split(codes, random_state=0)[0]
    for some in (codes[2:9], codes[[0, 5, 7]], codes.copy(), pickle.loads(pickle.dumps(codes)), part):
        with warns_of_tokens():
            GRUClassifier(units=2, max_epochs=1).fit(some, labels[: len(some)])
    with warns_of_tokens() as caught:
        cross_val_score(GRUClassifier(units=2, max_epochs=1), codes, labels, cv=2)
    assert len(caught) == 2


def test_integers_that_are_measurements_do_not_warn():
    counts = as_object_array([np.arange(4), np.arange(6)] * 4)
    GRUClassifier(units=2, max_epochs=1).fit(counts, [0, 1] * 4)


def test_pipelines_and_configured_output():
    with sklearn.config_context(transform_output="pandas"):
        codes = make_pipeline(TokenEncoder()).fit_transform(TEXTS)
    assert as_lists(codes) == as_lists(TokenEncoder().fit_transform(TEXTS))


@pytest.mark.parametrize(("unknown", "min_count"), [("mark", 1), ("mark", 2), ("drop", 1), ("error", 1)])
def test_unknown_words_in_front_of_a_network_follow_the_policy(unknown, min_count):
    texts = ["so good", "so bad", "very good", "very bad", "good once", "bad twice"] * 4
    moods = ["up", "down"] * 12
    encoder = TokenEncoder(analyzer="word", unknown=unknown, min_count=min_count)
    model = make_pipeline(encoder, GRUClassifier(embedding_dim=4, units=8, max_epochs=40, random_state=0))
    model.fit(texts, moods)
    new = ["quite good", "bad indeed", "good ?"]
    if unknown == "error":
        with pytest.raises(ValueError, match="row 0 holds tokens that were not among those of fit: 'quite'"):
            model.predict(new)
        return
    assert list(model.predict(new)) == ["up", "down", "up"]
    if unknown == "mark":
        assert model.predict(["nothing known"]).shape == (1,)
    else:
        assert model.predict(new).tolist() == model.predict(["good", "bad", "good"]).tolist()
        assert model.predict(["good", "nothing known"]).shape == (2,)
