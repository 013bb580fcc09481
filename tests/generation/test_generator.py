import math
import pickle
from itertools import islice, pairwise

import numpy as np
import pandas as pd
import pytest
import skops.io
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import EpochScoring
from torch import nn

from sklrnn import SequenceGenerator
from sklrnn.generation.batches import TextBatches
from sklrnn.generation.sampling import sample_token
from sklrnn.generation.texts import Texts

CPU = torch.device("cpu")
TINY = {"units": 8, "embedding_dim": 4, "segment_length": 8, "batch_size": 4, "max_epochs": 2, "random_state": 0}
WORDS = ["cat", "dog", "mouse", "elk", "wolverine", "ant", "bee"]
LONG = ["it was the best of times, it was the worst of times, " * 3]
ABOUT = np.arange(14.0).reshape(7, 2) % 5


def tiny(**options):
    return SequenceGenerator(**{**TINY, **options})


def score_by_hand(model, text, context=None):
    """The log-likelihood of each token, read one at a time."""
    encoder, network = model.encoder_, model.module_.double()
    codes = encoder.transform([text])[0]
    if not model._has_ends:
        codes = codes[:-1]
    context = None if context is None else torch.as_tensor(np.array([context], dtype=float))
    found, state = [], None
    with torch.no_grad():
        for code, following in pairwise(codes):
            raw, state = network(torch.tensor([[code]]), state, context)
            found.append(raw[0, 0].log_softmax(0)[following].item())
    network.float()
    return found


# -- what it learns ----------------------------------------------------------------------------------------------------


def test_a_pattern_is_repeated_to_the_letter():
    pattern = "one two three four, "
    model = SequenceGenerator(units=32, segment_length=20, batch_size=8, max_epochs=40, random_state=0)
    model.fit([pattern * 40])
    assert model.generate("one t", length=195, temperature=1e-3) == pattern * 10
    assert model.generate("one t", length=195, top_k=1) == pattern * 10
    assert model.perplexity([pattern * 20]) < 1.1
    assert model.score([pattern * 20]) > model.score([pattern[::-1] * 20]) + 1


def test_separate_texts_may_be_empty():
    model = tiny(max_epochs=60).fit(["ab", ""] * 8)
    assert {model.generate(temperature=0.5, random_state=seed) for seed in range(12)} == {"ab", ""}
    assert model.score([""]) == pytest.approx(score_by_hand(model, "")[0])


def test_names_of_a_language_and_their_end():
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 2, 400)
    stems = ["".join(rng.choice(list("bdg"), 3)) for _ in kinds]
    names = [stem + ("ov" if kind else "ini") for stem, kind in zip(stems, kinds, strict=True)]
    context = np.eye(2)[kinds]
    model = SequenceGenerator(units=32, max_epochs=30, random_state=0).fit(names, context=context)
    for seed in range(10):
        assert model.generate(context=[1, 0], temperature=0.5, random_state=seed).endswith("ini")
        assert model.generate(context=[0, 1], temperature=0.5, random_state=seed).endswith("ov")
    assert len({model.generate(context=[1, 0], random_state=seed) for seed in range(10)}) > 5
    # Three letters of three, then nothing is left open.
    assert model.score(names, context=context) == pytest.approx(-3 * math.log(3) / 6.5, abs=0.03)
    assert model.score(names, context=1 - context) < -1


def test_early_stopping_keeps_the_best_epoch():
    rng = np.random.default_rng(0)
    text = ["".join(rng.choice(list("abcd"), 600))]  # nothing to learn but by heart
    model = SequenceGenerator(
        units=48, segment_length=16, batch_size=4, early_stopping=True, n_iter_no_change=5, random_state=0
    ).fit(text)
    assert model.n_iter_ < 60
    assert len(model.validation_curve_) == model.n_iter_ == len(model.loss_curve_)
    assert model.best_validation_loss_ == min(model.validation_curve_)
    assert model.validation_curve_[-1] > model.best_validation_loss_


def test_what_is_held_out_is_the_newest():
    rng = np.random.default_rng(0)
    old, new = "".join(rng.choice(list("ab"), 270)), "".join(rng.choice(list("cd"), 30))
    model = tiny(early_stopping=True, max_epochs=5).fit([old + new])
    assert model.best_validation_loss_ > 1.5 > model.loss_curve_[-1]
    assert model.best_validation_loss_ == pytest.approx(-model.score([new]), rel=1e-5)
    texts = ["ab", "b", "ba"] * 6 + ["cc", "dc"]
    model = tiny(early_stopping=True, max_epochs=5).fit(texts)
    assert model.best_validation_loss_ == pytest.approx(-model.score(texts[-2:]), rel=1e-5)


def test_automatic_early_stopping_needs_much_text():
    assert tiny(max_epochs=1).fit(LONG).validation_curve_ is None
    assert len(tiny(max_epochs=1, segment_length=64).fit([LONG[0] * 64]).validation_curve_) == 1


# -- training ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_training_is_truncated_backpropagation(cell):
    text = LONG[0][:96]
    options = {"optimizer": "sgd", "learning_rate": 0.3, "max_grad_norm": None, "max_epochs": 1}
    model = tiny(cell=cell, **options).fit([text])
    network = model.model_.architecture.build(seed=model.model_.options.seed)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.3)
    codes = torch.from_numpy(model.encoder_.transform([text])[0][1:-1]).reshape(4, 24).T  # four parallel streams
    given = torch.cat([torch.full((1, 4), model.encoder_.vocabulary_["<start>"]), codes[:-1]])
    state = None
    for now in (slice(0, 8), slice(8, 16), slice(16, 24)):
        states, state = network.recurrent[0].forwards(network.embedding(given[now]), state)
        loss = nn.functional.cross_entropy(network.head(states).flatten(0, 1), codes[now].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        state = tuple(part.detach() for part in state) if cell == "lstm" else state.detach()
    model.net_.average_.show(False)  # not the mean, but where training stands
    for ours, by_hand in zip(model.module_.parameters(), network.parameters(), strict=True):
        assert_allclose(ours.detach(), by_hand.detach(), rtol=1e-4, atol=1e-6)


def some_texts(lengths):
    rng = np.random.default_rng(0)
    return Texts([np.r_[1, rng.integers(3, 9, length)] for length in lengths], np.arange(len(lengths))[:, None] * 1.0)


@pytest.mark.parametrize("seed", [None, 0])
@pytest.mark.parametrize("lengths", [[3], [4, 9, 2, 4, 4, 1, 7, 8, 30, 13, 14, 9]])
def test_batches_hold_every_text_whole(lengths, seed):
    texts = some_texts(lengths)
    batches = TextBatches(texts, batch_size=3, segment_length=4, device=CPU, seed=seed)
    n_batches = len(batches)
    for batches.epoch in range(4):
        read = {}
        weights = []
        for x, targets in batches:
            shape = (-1, x.n_streams)
            if x.is_first:
                names = x["context"][:, 0].int().tolist()
                so_far = {name: [] for name in names}
            for name, known, following, weight in zip(
                names, x["x"].reshape(shape).T, targets.reshape(shape).T, x["weight"].reshape(shape).T, strict=True
            ):
                counted = weight > 0
                so_far[name] += [*zip(known[counted].tolist(), following[counted].tolist(), strict=True)]
            assert len(x["x"].reshape(shape)) <= 4
            weights.append(x["weight"])
            read |= so_far
        for name, codes in enumerate(texts.codes):
            assert read[name] == [*zip(codes[:-1].tolist(), codes[1:].tolist(), strict=True)]
        assert len(weights) == n_batches
        assert torch.cat(weights).mean().item() == pytest.approx(1, rel=1e-5)


def test_batches_come_in_a_new_order_each_epoch():
    batches = TextBatches(some_texts([5] * 20), batch_size=4, segment_length=9, device=CPU, seed=0)
    orders = []
    for batches.epoch in (0, 0, 1):
        orders.append(torch.cat([x["context"] for x, _ in batches]).flatten().tolist())
    assert orders[0] == orders[1] != orders[2]
    batches.seed = None
    assert torch.cat([x["context"] for x, _ in batches]).flatten().tolist() == list(range(20))


@pytest.mark.parametrize(("length", "most", "n_streams"), [(40, 4, 4), (43, 4, 4), (43, 30, 5), (8, 4, 1), (7, 4, 1)])
def test_streams_are_the_whole_text(length, most, n_streams):
    texts = some_texts([length])
    streams = texts.as_streams(most=most, segment_length=8)
    assert len(streams.codes) == len(streams.context) == n_streams
    assert {int(stream[0]) for stream in streams.codes} == {1}
    assert_array_equal(np.concatenate([stream[1:] for stream in streams.codes]), texts.codes[0][1:])
    assert np.ptp([len(stream) for stream in streams.codes]) <= 1


@pytest.mark.parametrize("schedule", ["constant", "one_cycle"])
def test_loss_of_an_epoch_is_the_mean_over_tokens(schedule):
    texts = ["a" * n + "b" for n in (1, 30, 2, 17, 5)]
    model = tiny(learning_rate=1e-12, batch_size=2, schedule=schedule).fit(texts)
    assert_allclose(model.loss_curve_, -model.score(texts), rtol=1e-5)


class PlainCell(nn.Module):
    """A cell of somebody's own, whose state has no axis of layers."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.both = nn.Linear(input_size + hidden_size, hidden_size)

    def forward(self, x, first=None):
        h = x.new_zeros(x.shape[1], self.both.out_features) if first is None else first["h"]
        states = []
        for x_t in x:
            h = self.both(torch.cat([x_t, h], dim=1)).tanh()
            states.append(h)
        return torch.stack(states), {"h": h}


@pytest.mark.parametrize(
    "options",
    [
        {"cell": "simple_rnn", "activation": "relu"},
        {"cell": "minimal_gru"},
        {"cell": "gru", "reset_after": False},
        {"cell": "lstm", "peephole": True},
        {"cell": PlainCell},
        {"cell": nn.GRU},
        {"units": (8, 8), "residual": True, "dropout": 0.2},
        {"recurrent_dropout": 0.2, "l2": 1e-3},
        {"optimizer": torch.optim.LBFGS},
        {"n_jobs": 1},
    ],
)
def test_every_option_trains_and_generates(options):
    model = tiny(**options).fit(LONG)
    assert model.generate("it", length=5, random_state=0) == model.generate("it", length=5, random_state=0)
    assert model.score(LONG) == pytest.approx(np.mean(score_by_hand(model, LONG[0])), rel=1e-9)
    plain = tiny().fit(LONG)
    assert (model.loss_curve_ == plain.loss_curve_) == ("n_jobs" in options)


def test_callbacks_of_skorch_see_batches_too():
    seen = []
    count = EpochScoring(lambda net, batches, y: seen.append(len(batches)) or 0.0, use_caching=False, on_train=True)
    watched = tiny(callbacks=[count]).fit(LONG)
    assert seen == [5, 5]
    assert_allclose(watched.loss_curve_, tiny().fit(LONG).loss_curve_, rtol=1e-6)


def test_parameters_are_counted():
    model = tiny(units=(8, 6)).fit(WORDS, context=ABOUT)
    n_tokens = model.encoder_.n_tokens_
    layers = 3 * 8 * (4 + 8 + 2) + 3 * 6 * (8 + 6 + 2)
    assert model.n_parameters_ == 4 * n_tokens + 2 * 4 + layers + 6 * n_tokens + n_tokens
    assert model.n_context_features_ == 2


# -- score -------------------------------------------------------------------------------------------------------------


def test_score_is_that_of_reading_token_by_token():
    model = tiny().fit(WORDS)
    by_hand = np.concatenate([score_by_hand(model, word) for word in WORDS])
    assert len(by_hand) == sum(len(word) + 1 for word in WORDS)
    assert model.score(WORDS) == pytest.approx(by_hand.mean(), rel=1e-9)
    assert model.perplexity(WORDS) == pytest.approx(np.exp(-by_hand.mean()), rel=1e-9)
    assert model.score(["wolverine"]) == pytest.approx(np.mean(score_by_hand(model, "wolverine")), rel=1e-9)


def test_score_of_a_text_longer_than_is_read_at_once():
    model = tiny().fit(LONG)
    long = LONG[0] * 5
    assert len(long) > 600
    assert model.score([long]) == pytest.approx(np.mean(score_by_hand(model, long)), rel=1e-9)


def test_score_knows_the_context():
    model = tiny().fit(WORDS, context=ABOUT)
    by_hand = np.concatenate([score_by_hand(model, *pair) for pair in zip(WORDS, ABOUT, strict=True)])
    assert model.score(WORDS, context=ABOUT) == pytest.approx(by_hand.mean(), rel=1e-9)
    assert model.score(WORDS, context=ABOUT[::-1]) != pytest.approx(by_hand.mean(), rel=1e-6)


def test_context_is_standardised():
    model, scaled = tiny().fit(WORDS, context=ABOUT), tiny().fit(WORDS, context=1e4 + 100 * ABOUT)
    assert scaled.score(WORDS, context=1e4 + 100 * ABOUT) == pytest.approx(model.score(WORDS, context=ABOUT), rel=1e-5)


def test_a_long_text_may_have_a_context():
    model = tiny().fit(LONG, context=[[1.0, 2.0]])
    assert model.score(LONG, context=[[1, 2]]) == pytest.approx(
        np.mean(score_by_hand(model, LONG[0], [1, 2])), rel=1e-9
    )
    assert len(model.generate("it", length=9, context=[1, 2])) == 11


def test_unknown_tokens_are_scored_and_never_generated():
    model = tiny(min_count=2, max_epochs=40).fit(["aab", "aac", "aad", "aae"])
    assert list(model.encoder_.vocabulary_)[3:] == ["a"]
    assert {*"".join(model.generate(random_state=seed) for seed in range(5))} <= {"a"}
    assert -3 < model.score(["aaz"]) < 0


# -- writing -----------------------------------------------------------------------------------------------------------


def test_a_stream_is_what_generate_gives():
    model = tiny().fit(LONG)
    tokens = model.stream("it w", length=30, random_state=3)
    text = model.generate("it w", length=30, random_state=3)
    assert text == "it w" + "".join(tokens)
    assert len(text) == 34
    endless = model.stream("it w", random_state=3)
    assert "".join(islice(endless, 40))[:30] == text[4:]


def test_a_stream_changes_nothing_around_it():
    model = tiny().fit(LONG)
    n_threads = torch.get_num_threads()
    stream = model.stream("it")
    next(stream)
    assert not torch.is_inference_mode_enabled()
    assert torch.get_num_threads() == n_threads
    before = model.score(LONG)
    next(stream)
    assert model.score(LONG) == before
    assert model.module_.head.weight.dtype == torch.float32


def test_generate_and_score_use_the_same_probabilities():
    model = tiny(max_epochs=20).fit(LONG)
    text = model.generate("it was", length=20, temperature=1e-6)
    likeliest = [
        max("abcdefghimorstw, ", key=lambda char: score_by_hand(model, text[:place] + char)[-1]) for place in (6, 15)
    ]
    assert likeliest == [text[6], text[15]]


@pytest.mark.parametrize(
    ("texts", "prompt", "kind"),
    [
        (["to be or not to be"] * 8, "to be", str),
        ([["to", "be"], ("or", "not")] * 8, ["to"], list),
        ([np.array([60, 64, 67]), [67, 60]] * 8, [60], np.ndarray),
    ],
)
def test_generated_texts_are_of_the_kind_of_the_texts(texts, prompt, kind):
    model = tiny(analyzer="word", max_epochs=30).fit(texts)
    for given in ("", prompt):
        written = model.generate(given, random_state=0)
        assert type(written) is kind
    assert list(written[: len(prompt)]) == list(prompt)
    following = list(model.stream(prompt, random_state=0))
    rest = written[len(prompt) :]
    assert following == (rest.split() if kind is str else list(rest))
    assert {type(token) for token in following} <= {int if kind is np.ndarray else str}


# -- several texts -----------------------------------------------------------------------------------------------------


def test_each_of_several_contexts_gives_its_text():
    texts, context = ["cat", "dog", "oak", "elm"] * 10, [[1], [1], [0], [0]] * 10
    model = SequenceGenerator(units=32, random_state=0).fit(texts, context=context)
    animals = model.generate(context=[[1]] * 20, temperature=0.3, random_state=0)
    assert set(animals) == {"cat", "dog"}  # equal contexts get texts of their own
    assert model.generate(["c", "o"], context=[[1], [0]], random_state=0) == ["cat", "oak"]
    assert model.generate(["c", "d"], context=[1], random_state=0) == ["cat", "dog"]
    assert model.generate("d", context=[[1], [1]], random_state=0) == ["dog", "dog"]


@pytest.mark.parametrize("cell", ["gru", "lstm", "minimal_gru"])
def test_a_text_does_not_depend_on_the_others(cell):
    model = tiny(cell=cell, max_epochs=5).fit(WORDS, context=ABOUT)
    prompts, options = ["c", "wolve", "", "mo", "e"], {"length": 12, "temperature": 2.0, "random_state": 3}
    texts = model.generate(prompts, context=ABOUT[:5], **options)
    assert [text.startswith(prompt) for text, prompt in zip(texts, prompts, strict=True)] == [True] * 5
    assert max(len(text) - len(prompt) for text, prompt in zip(texts, prompts, strict=True)) <= 12
    assert texts == model.generate(prompts, context=ABOUT[:5], **options)
    assert texts[0] == model.generate("c", context=ABOUT[0], **options)
    for n_texts in (1, 2, 4):
        assert texts[:n_texts] == model.generate(prompts[:n_texts], context=ABOUT[:n_texts], **options)
    others = model.generate(["dog", *prompts[1:]], context=[[9, 9], *ABOUT[1:5]], **options)
    assert others[1:] == texts[1:]
    options["random_state"] = np.random.RandomState(3)
    assert len(set(model.generate(context=[[1, 2]] * 5, **options))) > 1


def test_texts_side_by_side_are_sampled_as_one_by_one():
    model = tiny(max_epochs=5).fit(WORDS)
    prompts = ["", "c", "wolver", "m"]
    together = model.generate(prompts, length=9, top_k=1)
    assert together == [model.generate(prompt, length=9, top_k=1) for prompt in prompts]
    assert model.generate(["cat", "d"], length=0) == ["cat", "d"]
    many = model.generate([""] * 300, length=3, random_state=0)
    assert len(many) == 300
    assert many[:260] == model.generate([""] * 260, length=3, random_state=0)


@pytest.mark.parametrize(
    ("texts", "prompts"),
    [
        ([["do", "re"], ["mi", "fa", "mi"]], [["do"], ["mi", "fa"]]),
        ([np.array([60, 64]), [67, 60, 64]], [[60], np.array([67, 60])]),
    ],
)
def test_several_prompts_of_tokens(texts, prompts):
    model = tiny().fit(texts * 4)
    found = model.generate(prompts, length=2, random_state=0)
    assert [list(text[: len(prompt)]) for text, prompt in zip(found, prompts, strict=True)] == [*map(list, prompts)]
    assert type(found[0]) is type(model.generate(prompts[0], length=2))
    long = tiny().fit(LONG)
    assert [len(text) for text in long.generate(["it", "was the"], length=20)] == [22, 27]


def test_length_zero_is_the_prompt():
    assert tiny().fit(LONG).generate("it was", length=0) == "it was"


def test_separate_texts_end():
    model = tiny(max_epochs=60, units=16).fit(["ab", "abc"] * 10)
    assert {model.generate(temperature=0.1, random_state=seed, length=None) for seed in range(10)} == {"ab", "abc"}
    assert list(model.stream("abc", temperature=0.01)) == []


def test_samples_are_as_likely_as_the_outputs_say():
    raw = np.log([0.1, 0.6, 0.3, 1e-300])
    random = np.random.RandomState(0)

    def shares(**options):
        drawn = [
            sample_token(raw, random=random, **{"temperature": 1.0, "top_k": None, **options}) for _ in range(4000)
        ]
        return np.bincount(drawn, minlength=4) / 4000

    assert_allclose(shares(), [0.1, 0.6, 0.3, 0.0], atol=0.03)
    assert_allclose(shares(top_k=2), [0.0, 2 / 3, 1 / 3, 0.0], atol=0.03)
    squared = np.array([0.01, 0.36, 0.09, 0.0])
    assert_allclose(shares(temperature=0.5), squared / squared.sum(), atol=0.03)
    assert_array_equal(shares(top_k=1), [0, 1, 0, 0])
    assert_array_equal(shares(temperature=1e-300), [0, 1, 0, 0])
    assert_allclose(shares(temperature=1e300), 0.25, atol=0.03)


def test_excluded_tokens_are_never_sampled():
    raw = np.array([1.0, -np.inf, 1.0])
    drawn = {
        sample_token(raw, temperature=t, top_k=3, random=np.random.RandomState(s))
        for t in (1e-9, 1, 1e9)
        for s in range(20)
    }
    assert drawn == {0, 2}


# -- seeds and copies --------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_text():
    model = tiny().fit(LONG)
    written = [model.generate("it", length=30, random_state=seed) for seed in (0, 0, 1)]
    assert written[0] == written[1] != written[2]
    random = np.random.RandomState(0)
    drawn = [model.generate("it", length=30, random_state=random) for _ in range(2)]
    assert drawn[0] == written[0] != drawn[1]


def state_of_numpy():
    return np.random.get_state()[1].copy()  # noqa: NPY002


@pytest.mark.parametrize("options", [{}, {"dropout": 0.3}, {"cell": PlainCell}, {"shuffle": False}])
def test_the_same_seed_gives_the_same_model_and_no_global_generator_is_touched(options):
    of_torch, of_numpy = torch.get_rng_state(), state_of_numpy()
    one, same, other = (tiny(**{**options, "random_state": seed}).fit(WORDS) for seed in (0, 0, 1))
    one.generate(random_state=0)
    assert one.loss_curve_ == same.loss_curve_ != other.loss_curve_
    assert one.score(WORDS) == same.score(WORDS)
    assert_array_equal(of_torch, torch.get_rng_state())
    assert_array_equal(of_numpy, state_of_numpy())


def test_a_copy_generates_the_same():
    model = tiny(cell="lstm").fit(WORDS, context=ABOUT)
    copy = pickle.loads(pickle.dumps(model))
    for options in ({"context": [1, 2], "random_state": 0}, {"prompt": "c", "context": [0, 0], "random_state": 1}):
        assert copy.generate(**options) == model.generate(**options)
    assert copy.score(WORDS, context=ABOUT) == model.score(WORDS, context=ABOUT)
    weights = model.__getstate__()["model_"]["weights"]
    assert {type(weight) for weight in weights.values()} == {np.ndarray}
    assert clone(model).fit(WORDS, context=ABOUT).loss_curve_ == model.loss_curve_


@pytest.mark.parametrize(
    "texts", [WORDS, LONG, [np.array([60, 64, 67]), [67, 60]] * 3], ids=["words", "long", "melody"]
)
def test_skops_gives_back_the_same_model(texts):
    model = tiny(cell="lstm").fit(texts)
    safe = skops.io.dumps(model)
    copy = skops.io.loads(safe, trusted=skops.io.get_untrusted_types(data=safe))
    assert copy.score(texts) == model.score(texts)
    assert_array_equal([*copy.generate(length=9, random_state=0)], [*model.generate(length=9, random_state=0)])


def test_a_search_over_texts():
    search = GridSearchCV(tiny(), {"units": [2, 16]}, cv=2).fit(WORDS * 4)
    assert search.best_params_ == {"units": 16}
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize("container", [tuple, np.array, lambda texts: pd.Series(texts, index=range(9, 16))])
def test_containers(container):
    assert tiny().fit(container(WORDS)).loss_curve_ == tiny().fit(WORDS).loss_curve_


# -- bad input ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "options", "message"),
    [
        ("one long text", {}, r"SequenceGenerator reads a list of texts, got a single string.* Pass \[text\]"),
        (None, {}, "SequenceGenerator reads a list"),
        ([], {}, "needs at least one text, got none"),
        ([""], {}, "nothing to learn from"),
        (["ab", None], {}, "Row 1 is missing: got None"),
        (["abc"], {}, "One long text needs at least segment_length=8 tokens to train on, got 3.* several texts"),
        (["abcabcabca"], {"early_stopping": True, "validation_fraction": 0.5}, "segment_length=8 tokens .* got 5"),
        (WORDS, {"early_stopping": True}, "validation_fraction=0.1 of 7 texts leaves 0 to validate on"),
        (WORDS, {"embedding_dim": 0}, "'embedding_dim' parameter of SequenceGenerator must be an int in the range"),
        (WORDS, {"segment_length": 0}, "'segment_length' parameter"),
        (WORDS, {"analyzer": "letter"}, "'analyzer' parameter"),
        (WORDS, {"peephole": True}, "peephole=True of SequenceGenerator is an option of cell='lstm'"),
        (WORDS, {"recurrent_dropout": 0.1, "cell": nn.GRU}, "recurrent_dropout=0.1 needs a cell"),
        (WORDS, {"learning_rate": 1e12, "optimizer": "sgd", "max_grad_norm": None}, "Training diverged"),
    ],
)
def test_bad_texts_and_parameters(texts, options, message):
    model = tiny(**options)
    with pytest.raises(ValueError, match=message):
        model.fit(texts)
    assert not hasattr(model, "net_")
    assert not hasattr(model, "encoder_")


@pytest.mark.parametrize(
    ("context", "message"),
    [
        (ABOUT[:3], "context must hold one row for each of the 7 texts, got 3"),
        (ABOUT[:, 0], "Expected 2D array, got 1D array"),
        (ABOUT * np.nan, "Input context contains NaN"),
        ([["a"]] * 7, "not compatible with arrays of bytes/strings"),
    ],
)
def test_bad_context_in_fit(context, message):
    with pytest.raises(ValueError, match=message):
        tiny().fit(WORDS, context=context)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"prompt": "cxQat"}, "prompt holds tokens that are not known from fit: 'Q', 'x'"),
        ({"prompt": None}, "missing"),
        ({"temperature": 0}, "temperature must be a positive number, got 0"),
        ({"temperature": -1.0}, "temperature must be a positive number"),
        ({"temperature": np.nan}, "temperature must be a positive number"),
        ({"temperature": "hot"}, "temperature must be a positive number, got 'hot'"),
        ({"top_k": 0}, "top_k must be None or an int of at least 1, got 0"),
        ({"top_k": 1.5}, "top_k must be None or an int"),
        ({"length": -1}, "length must be None or an int of at least 0, got -1"),
        ({"context": None}, r"was fitted with a context of 2 feature.*Pass context="),
        ({"context": [1, 2, 3]}, r"context has 3 feature.s., but had 2 in fit"),
        ({"context": [[[1, 2]]]}, "context must be one vector of features, got 3 dimensions"),
        ({"context": [1, np.nan]}, "Input context contains NaN"),
    ],
)
@pytest.mark.parametrize("how", ["generate", "stream"])
def test_bad_parameters_of_generate_are_errors_at_once(how, options, message, fitted):
    with pytest.raises(ValueError, match=message):
        getattr(fitted, how)(**{"context": [1, 2], **options})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"prompt": ["cat"]}, "prompt holds tokens that are not known from fit: 'cat'"),
        ({"prompt": ["c"]}, "was fitted on characters, got tokens"),
        ({"context": [[1, 2]]}, "got 2 dimensions. Only generate takes several"),
    ],
)
def test_a_stream_is_of_one_text(options, message, fitted):
    with pytest.raises(ValueError, match=message):
        fitted.stream(**{"context": [1, 2], **options})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"prompt": ["cat", "Qat"]}, "Prompt 1: The prompt holds tokens that are not known from fit: 'Q'"),
        ({"prompt": ["cat", None]}, "Prompt 1: Row 0 is missing"),
        ({"prompt": ["cat", "dog"], "context": [[1, 2]]}, "got 2 prompts and 1 contexts. Pass as many"),
        ({"context": [[1, 2], [1, np.nan]]}, "Input context contains NaN"),
        ({"context": [[1, 2, 3]] * 2}, r"context has 3 feature.s., but had 2 in fit"),
        ({"context": None, "prompt": ["cat"]}, "was fitted with a context of 2 feature"),
        ({"context": [[1, 2]], "temperature": 0}, "temperature must be a positive number, got 0"),
    ],
)
def test_bad_parameters_of_several_texts(options, message, fitted):
    with pytest.raises(ValueError, match=message):
        fitted.generate(**{"context": [1, 2], **options})


@pytest.fixture(scope="module")
def fitted():
    return tiny().fit(WORDS, context=ABOUT)


def test_bad_scores(fitted):
    with pytest.raises(ValueError, match="was fitted with a context of 2"):
        fitted.score(WORDS)
    with pytest.raises(ValueError, match="one row for each of the 7 texts, got 1"):
        fitted.score(WORDS, context=[[1, 2]])
    with pytest.raises(ValueError, match="got a single string"):
        fitted.score("cat", context=[[1, 2]])
    with pytest.raises(ValueError, match="The text in row 1 is empty"):
        tiny().fit(LONG).score(["it", ""])
    with pytest.raises(ValueError, match="fitted without context"):
        tiny().fit(WORDS).score(WORDS, context=ABOUT)


def test_one_long_text_has_no_end():
    with pytest.raises(ValueError, match="One long text has no end"):
        tiny().fit(LONG).generate("it", length=None)


@pytest.mark.parametrize("method", ["generate", "stream", "score", "perplexity"])
def test_not_fitted(method):
    with pytest.raises(NotFittedError):
        getattr(SequenceGenerator(), method)(["a"])


def test_a_failed_fit_leaves_the_fitted_model_as_it_was():
    model = tiny().fit(WORDS)
    before = model.score(WORDS)
    with pytest.raises(ValueError, match="diverged"):
        model.set_params(learning_rate=1e12, optimizer="sgd", max_grad_norm=None).fit(["xyz", "zyx"])
    assert model.score(WORDS) == before


# -- scikit-learn ------------------------------------------------------------------------------------------------------


def test_what_makes_no_sense_for_texts_is_no_parameter():
    assert not {"bidirectional", "filters", "kernel_size", "pool_size"} & {*SequenceGenerator().get_params()}
