"""Attention weights are those of the decoder's equation, with the tokens that they belong to."""

from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklrnn import GRURegressor, SequenceTranslator, SlidingWindow
from sklrnn.inspection import AttentionDisplay, attention
from sklrnn.preprocessing.token_encoder import START

TEXTS = ["".join(letters) for n in (1, 2, 3) for letters in product("abcd", repeat=n)]
SHORT = {"units": 16, "attention": True, "random_state": 0}


@pytest.fixture(scope="module")
def reverser():
    return SequenceTranslator(max_epochs=40, **SHORT).fit(TEXTS, [text[::-1] for text in TEXTS])


def lower(texts):
    return [text.lower() for text in texts]


def test_weights_are_those_of_the_translator_labelled_with_its_tokens(reverser):
    weights = attention(reverser, "dab")
    assert_array_equal(weights, reverser.attention_weights(["dab"])[0])
    assert weights.index.tolist() == list(enumerate(reverser.predict(["dab"])[0]))
    assert weights.columns.tolist() == [(0, "d"), (1, "a"), (2, "b")]
    assert_allclose(weights.sum(axis=1), 1)


def test_weights_are_the_softmax_of_the_scaled_products_of_both_states(reverser):
    network = reverser.model_.double_copy().eval()
    known, answers = reverser.input_encoder_.vocabulary_, reverser.output_encoder_.vocabulary_
    with torch.no_grad():
        codes = torch.tensor([[[known[letter]] for letter in "dab"]])
        keys = network.encode(codes).states[:, 0].numpy()  # (time, unit)
        kept = []
        network.decoder.register_forward_hook(lambda _, __, given: kept.append(given[0][:, 0].numpy()))
        fed = torch.tensor([[answers[token]] for token in (START, "b", "a")])
        network.decode(fed, network.encode(codes))
    query = network.attention.query
    scores = (kept[0] @ query.weight.detach().numpy().T + query.bias.detach().numpy()) @ keys.T / np.sqrt(16)
    expected = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    assert_allclose(attention(reverser, "dab"), expected, rtol=1e-10)


def test_words_and_unknown_tokens_are_shown_as_they_were_given():
    pairs = ["the cat", "a cat", "the dog"], ["die katze", "eine katze", "der hund"]
    model = SequenceTranslator(analyzer="word", max_epochs=40, **SHORT).fit(*pairs)
    assert attention(model, "the emu").columns.get_level_values("token").tolist() == ["the", "emu"]
    model = SequenceTranslator(analyzer="word", unknown="drop", max_epochs=40, **SHORT).fit(*pairs)
    assert attention(model, "the emu").columns.get_level_values("token").tolist() == ["the"]


def test_numbers_are_labelled_with_their_steps():
    X = np.random.default_rng(0).normal(size=(30, 5))
    model = SequenceTranslator(max_epochs=2, **SHORT).fit(X, X[:, :3].cumsum(axis=1))
    weights = attention(model, X[4])
    assert weights.index.tolist() == [0, 1, 2]
    assert weights.columns.tolist() == [0, 1, 2, 3, 4]
    assert AttentionDisplay(weights=weights).plot().ax_.get_xlabel() == "input (step)"


def test_a_pipeline_reads_the_text_first(reverser):
    pipeline = make_pipeline(FunctionTransformer(lower), reverser)
    pipeline.fit(TEXTS, [text[::-1] for text in TEXTS])
    assert attention(pipeline, "DAB").equals(attention(pipeline[-1], "dab"))


def test_display_has_the_tokens_on_its_axes(reverser):
    figure, axes = plt.subplots(1, 2)
    display = AttentionDisplay.from_estimator(reverser, "dab", ax=axes[1])
    assert display.ax_ is axes[1]
    assert display.figure_ is figure
    assert not axes[0].has_data()
    assert_array_equal(display.image_.get_array(), display.weights)
    assert [label.get_text() for label in axes[1].get_xticklabels()] == ["d", "a", "b"]
    assert [label.get_text() for label in axes[1].get_yticklabels()] == ["b", "a", "d"]
    assert axes[1].yaxis_inverted()
    assert (axes[1].get_xlabel(), axes[1].get_ylabel()) == ("input (token)", "prediction (token)")


def test_spaces_can_be_seen():
    texts = ["a b", "b a", "a a"]
    display = AttentionDisplay.from_estimator(SequenceTranslator(max_epochs=2, **SHORT).fit(texts, texts), "a b")
    assert [label.get_text() for label in display.ax_.get_xticklabels()] == ["a", "␣", "b"]


def test_what_has_no_attention_is_refused(reverser):
    with pytest.raises(ValueError, match="Fit it with attention=True"):
        attention(SequenceTranslator(units=2, max_epochs=1).fit(TEXTS, TEXTS), "dab")
    with pytest.raises(TypeError, match="Attention is that of a SequenceTranslator, .* got GRURegressor"):
        attention(GRURegressor(units=2, max_epochs=1).fit(np.ones((5, 3)), np.ones(5)), "dab")
    windows = make_pipeline(SlidingWindow(window_length=2), GRURegressor(units=2, max_epochs=1))
    windows.fit(np.random.default_rng(0).normal(size=(30, 1)), np.arange(30.0))
    with pytest.raises(TypeError, match="Attention is that of a SequenceTranslator"):
        attention(windows, "dab")
    with pytest.raises(ValueError, match="text must be one string, .* got a list of 2. Pass one of them"):
        attention(reverser, ["dab", "abc"])
    with pytest.raises(ValueError, match="The prediction is empty"):
        AttentionDisplay(weights=attention(reverser, "dab").iloc[:0]).plot()
