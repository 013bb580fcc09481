import importlib.util
import itertools
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
import skops.io
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.pipeline import make_pipeline
from torch import nn

import sklrnn.training.inference
from sklrnn import SequenceScaler, SequenceTranslator, TokenEncoder
from sklrnn.inputs.ragged import Ragged
from sklrnn.inputs.samples import Samples
from sklrnn.nn.layers import TokenEmbedding
from sklrnn.training.auto_epochs import resolve_epochs
from sklrnn.training.optimizers import FlatWeights
from sklrnn.translation.batches import PairBatches
from sklrnn.translation.decoding import sample_axes
from sklrnn.translation.trainer import _STEPS

BENCHMARK = Path(__file__).parents[2] / "docs" / "benchmarks" / "translation.py"
CPU = torch.device("cpu")
TINY = {"units": 8, "embedding_dim": 4, "batch_size": 4, "max_epochs": 2, "random_state": 0}
WORDS = ["cat", "dog", "mouse", "elk", "wolverine", "ant", "bee"]
BACK = [word[::-1] for word in WORDS]


def tiny(**options):
    return SequenceTranslator(**{**TINY, **options})


def some_numbers(n=12, n_features=2, seed=0, shortest=1):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(rng.integers(shortest, 6), n_features)) for _ in range(n)]


def every_second(X):
    return [x[::2, 0] for x in X]


class PlainCell(nn.Module):
    """A cell of somebody's own, whose state has no axis of layers, and something in it that is not of the samples."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.both = nn.Linear(input_size + hidden_size, hidden_size)

    def forward(self, x, first=None):
        h = x.new_zeros(x.shape[1], self.both.out_features) if first is None else first["h"][0]
        states = []
        for x_t in x:
            h = self.both(torch.cat([x_t, h], dim=1)).tanh()
            states.append(h)
        return torch.stack(states), {"h": (h,), "read": torch.tensor([len(states)]), "name": "plain"}


# -- what it learns ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("attention", [False, True])
def test_unseen_texts_are_reversed(attention):
    texts = ["".join(letters) for n in (1, 2, 3, 4) for letters in itertools.product("abcd", repeat=n)]
    order = np.random.default_rng(0).permutation(len(texts))
    known, new = ([texts[place] for place in part] for part in (order[60:], order[:60]))
    model = SequenceTranslator(units=48, attention=attention, max_epochs=50, random_state=0)
    model.fit(known, [text[::-1] for text in known])
    assert model.score(new, [text[::-1] for text in new]) >= 0.98


def test_numbers_of_any_length():
    X = some_numbers(300)
    model = SequenceTranslator(units=32, max_epochs=60, random_state=0).fit(X, every_second(X))
    new = some_numbers(100, seed=1)
    assert model.score(new, every_second(new)) > 0.8
    lengths = [len(prediction) for prediction in model.predict(new)]
    assert np.mean([length == (len(x) + 1) // 2 for length, x in zip(lengths, new, strict=True)]) > 0.95


@pytest.mark.slow
@pytest.mark.parametrize("task", ["reverse", "sort", "dates"])
def test_the_tasks_of_the_benchmark(task):
    spec = importlib.util.spec_from_file_location("benchmark_of_translation", BENCHMARK)
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    assert benchmark.exact_matches(task, seed=0)[0] >= 0.98


# -- the network against its equations ---------------------------------------------------------------------------------


def by_hand(network, codes, following, source):
    """The raw outputs of one pair, from torch's layers alone."""
    embedded = network.embedding.weight[codes].unsqueeze(1)
    states, _ = network.encoder[0].forwards(embedded)
    fed = network.feed.weight[following].unsqueeze(1)
    decoded, _ = network.decoder[0].forwards(torch.cat([fed, states[-1:].expand(len(fed), -1, -1)], dim=2))
    if network.attention is not None:
        query = network.attention.query(decoded[:, 0])
        weights = (query @ states[:, 0].T / states.shape[2] ** 0.5).softmax(dim=1)
        context = torch.cat([decoded[:, 0], weights @ states[:, 0]], dim=1)
        decoded = network.attention.combine(context).tanh().unsqueeze(1)
        source.append(weights)
    return network.head(decoded[:, 0])


@pytest.mark.parametrize("attention", [False, True])
@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_a_step_of_training_is_that_of_the_equations(cell, attention, monkeypatch):
    monkeypatch.setattr(TokenEmbedding, "RARITY", 0.0)  # no token is taken for unknown
    options = {"optimizer": "sgd", "learning_rate": 0.3, "max_grad_norm": None, "max_epochs": 1, "batch_size": 7}
    model = tiny(cell=cell, attention=attention, schedule="constant", **options)
    model.fit(WORDS, BACK, sample_weight=np.arange(1.0, 8.0))
    network = model.model_.architecture.build(seed=model.model_.options.seed)
    losses, counts = [], []
    for word, back, weight in zip(WORDS, BACK, range(1, 8), strict=True):
        codes = torch.from_numpy(model.input_encoder_.transform([word])[0]) - 1  # of the network: those that occur
        following = torch.from_numpy(model.output_encoder_.transform([back])[0])
        raw = by_hand(network, codes, following[:-1], [])
        losses.append(weight * nn.functional.cross_entropy(raw, following[1:], reduction="sum"))
        counts.append(weight * len(raw))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.3)
    loss = sum(losses) / sum(counts)
    loss.backward()
    optimizer.step()
    assert model.loss_curve_ == pytest.approx([loss.item()], rel=1e-5)
    trained = [weight for weight in network.parameters() if weight.requires_grad]
    # The weights lie in one flat tensor, each from a multiple of some numbers on, with zeros between them.
    (flat,) = model.net_.average_._other
    expected = FlatWeights([nn.Parameter(weight.detach()) for weight in trained])
    assert_allclose(flat, expected.values, rtol=1e-4, atol=1e-6)


def test_loss_of_numbers_is_that_of_their_equation():
    X, y = some_numbers(), every_second(some_numbers())
    options = {"learning_rate": 1e-12, "max_epochs": 1}
    model = tiny(**options).fit(X, y)
    network = model.module_
    flat = np.concatenate(y)
    total = 0.0
    for x, wanted in zip(X, y, strict=True):
        wanted = torch.tensor((wanted - flat.mean()) / flat.std(), dtype=torch.float32)
        given = torch.stack([torch.eye(len(wanted))[0], torch.cat([torch.zeros(1), wanted[:-1]])], dim=1)
        raw = network(torch.tensor(x)[None], given[None], torch.tensor([len(wanted)]))
        total += ((raw[:, 0] - wanted) ** 2).sum().item()
        ends = torch.eye(len(wanted))[-1]
        total += nn.functional.binary_cross_entropy_with_logits(raw[:, 1], ends, reduction="sum").item()
    assert model.loss_curve_ == pytest.approx([total / len(flat)], rel=1e-4)


@pytest.mark.parametrize("numeric", [False, True])
def test_without_teacher_forcing_the_decoder_is_fed_its_own_predictions(numeric):
    X = [x.astype(np.float32) for x in some_numbers(3, shortest=5)] if numeric else ["abc", "cab", "bca"]
    y = [x[:, 0] for x in X] if numeric else X
    model = tiny(attention=True, cell="lstm").fit(X, y)
    network = model.module_
    batches = model._batches(model._check_pairs(X, y, None, reset=False), 3)
    ((batch, _),) = batches
    x, fed = batch["x"], batch["fed"]
    network.train()
    network.teacher_forcing.use_generator(torch.Generator().manual_seed(0))
    network.teacher_forcing.set_ratio(0.0)
    inputs = network.fed_in_training(x, fed, None)
    assert network.training
    network.eval()
    raw = network(x, inputs, batch["target_lengths"]).detach()
    predicted = network.feed.predicted(raw).unflatten(0, fed.shape[:2])
    assert_allclose(inputs[:, 1:], predicted[:, :-1], atol=1e-5)
    assert_allclose(inputs[:, 0], fed[:, 0])
    network.teacher_forcing.set_ratio(1.0)
    assert_allclose(network.fed_in_training(x, fed, None), fed)


def test_the_teacher_forcing_ratio_is_a_share_of_the_steps():
    many = torch.zeros(200, 50)
    teacher_forcing = tiny().fit(WORDS, BACK).module_.teacher_forcing
    teacher_forcing.use_generator(torch.Generator().manual_seed(0))
    teacher_forcing.set_ratio(0.3)
    assert teacher_forcing(many).float().mean().item() == pytest.approx(0.3, abs=0.02)
    losses = [tiny(teacher_forcing=ratio).fit(WORDS, BACK).loss_curve_ for ratio in (0.0, 0.5, 0.5, 1)]
    assert losses[0] != losses[1] == losses[2] != losses[3]


def test_free_running_learns_too():
    texts = ["".join(letters) for letters in itertools.product("ab", repeat=3)]
    model = SequenceTranslator(units=24, teacher_forcing=0.3, max_epochs=150, random_state=0)
    assert model.fit(texts, [text[::-1] for text in texts]).score(texts, [text[::-1] for text in texts]) == 1.0


# -- batches -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [None, 0])
@pytest.mark.parametrize("numeric", [False, True])
def test_batches_hold_every_pair_whole(numeric, seed):
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(length, 2)) for length in rng.integers(1, 9, 11)]
    y = [
        rng.normal(size=(length, 1)) if numeric else np.r_[1, rng.integers(3, 9, length), 2]
        for length in rng.integers(1, 6, 11)
    ]
    weights = np.r_[0.0, np.arange(1.0, 11.0)]
    rows = Samples(Ragged.from_list(X), Ragged.from_list(y), weights)
    batches = PairBatches(rows, batch_size=3, device=CPU, seed=seed)
    found, total, n_steps = set(), 0.0, 0
    for batch, targets in batches:
        lengths = batch.get("lengths", torch.full((len(batch["x"]),), batch["x"].shape[1]))
        parts = zip(
            batch["x"],
            lengths,
            batch["fed"],
            batch["target_lengths"],
            targets.split(batch["target_lengths"].tolist()),
            batch["weight"].split(batch["target_lengths"].tolist()),
            strict=True,
        )
        for x, length, fed, n_targets, target, weight in parts:
            row = next(row for row in range(11) if np.array_equal(x[:length], X[row]))
            found.add(row)
            assert weight.unique().item() == pytest.approx(
                row * batches.n_steps[1:].sum() / (weights * batches.n_steps).sum()
            )
            total, n_steps = total + weight.sum().item(), n_steps + len(weight)
            if numeric:
                assert_allclose(target[:, :1], y[row].astype(np.float32))
                assert target[:, 1].tolist() == [0.0] * (len(target) - 1) + [1.0]
                assert_allclose(fed[1:n_targets, 1:], target[:-1, :1])
                assert fed[:n_targets, 0].tolist() == [1.0] + [0.0] * (len(target) - 1)
                assert fed[0, 1] == 0
            else:
                assert fed[:n_targets].tolist() == y[row][:-1].tolist()
                assert target.tolist() == y[row][1:].tolist()
    assert found == set(range(1, 11))
    assert total / n_steps == pytest.approx(1.0, rel=1e-5)


def test_loss_of_an_epoch_is_the_mean_over_steps(monkeypatch):
    monkeypatch.setattr(TokenEmbedding, "RARITY", 0.0)
    few, many = (tiny(learning_rate=1e-12, batch_size=size, max_epochs=1).fit(WORDS, BACK) for size in (2, 7))
    assert few.loss_curve_ == pytest.approx(many.loss_curve_, rel=1e-5)


# -- beam search -------------------------------------------------------------------------------------------------------


def log_likelihood(model, text, prediction):
    """Of a prediction and its end, among the tokens that are allowed; at the greatest length only the end is."""
    network = pickle.loads(pickle.dumps(model)).module_.double().eval()
    codes = torch.from_numpy(model.input_encoder_.transform([text])[0])[None, :, None]
    following = torch.from_numpy(model.output_encoder_.transform([prediction])[0])
    known = model.output_encoder_.vocabulary_
    with torch.no_grad():
        raw = network(codes, following[None, :-1], torch.tensor([len(following) - 1]))
    raw[:, [known["<unknown>"], known["<start>"]]] = -torch.inf
    return raw.log_softmax(1)[torch.arange(len(raw)), following[1:]].sum().item()


@pytest.mark.parametrize(
    "options", [{}, {"attention": True}, {"cell": "lstm"}, {"cell": PlainCell}, {"cell": "lstm", "peephole": True}]
)
def test_a_wide_beam_is_exhaustive(options):
    model = tiny(max_length=3, max_epochs=10, units=(8, 8), **options).fit(["ab", "ba", "b"], ["ba", "ab", "bb"])
    predictions = ["".join(letters) for n in range(4) for letters in itertools.product("ab", repeat=n)]
    for text in ("ab", "bba"):
        found = model.predict_n_best([text], n_best=20)[0]
        assert sorted(prediction for prediction, _ in found) == sorted(predictions)
        likelihoods = dict(found)
        # At the greatest length an end costs no more than its likelihood: all of them are the raw likelihoods.
        assert_allclose(
            [likelihoods[a] for a in predictions], [log_likelihood(model, text, a) for a in predictions], rtol=1e-8
        )
        assert [score for _, score in found] == sorted(likelihoods.values(), reverse=True)


def test_a_beam_finds_predictions_at_least_as_likely():
    rng = np.random.default_rng(0)
    texts = ["".join(rng.choice(list("abc"), 4)) for _ in range(40)]
    model = tiny(max_epochs=3).fit(texts, [text[::-1] for text in texts])
    greedy = [model.predict_n_best([text], n_best=1)[0][0] for text in texts]
    assert [prediction for prediction, _ in greedy] == model.predict(texts)
    model.set_params(beam_size=30)
    wide = model.predict_n_best(texts, n_best=2)
    assert [kept[0][0] for kept in wide] == model.predict(texts)
    gains = np.array([kept[0][1] for kept in wide]) - np.array([score for _, score in greedy])
    assert gains.min() > -1e-9
    assert gains.max() > 0.01


def test_greedy_search_takes_the_likeliest_token_at_each_step():
    model = tiny(max_epochs=20).fit(WORDS, BACK)
    tokens = list(model.output_encoder_.vocabulary_)[3:]
    for text, prediction in zip(WORDS, model.predict(WORDS), strict=True):
        so_far = ""
        for token in prediction[:4]:
            # The likelihood of a beginning, less that of an end after it.
            network = pickle.loads(pickle.dumps(model)).module_.double().eval()
            codes = torch.from_numpy(model.input_encoder_.transform([text])[0])[None, :, None]
            following = torch.from_numpy(model.output_encoder_.transform([so_far])[0])[:-1]
            with torch.no_grad():
                raw = network(codes, following[None], torch.tensor([len(following)]))[-1]
            assert tokens[int(raw[3:].argmax())] == token
            so_far += token


def test_unknown_and_start_are_never_predicted():
    model = tiny(min_count=2, max_epochs=60, units=16).fit(["a", "b", "c", "d"] * 2, ["x", "ay", "az", "av"] * 2)
    assert set("".join(model.predict(["a", "b", "c", "d"]))) <= {*"xyzva"}
    rare = tiny(min_count=3, max_epochs=40).fit(["a", "b", "a", "b"] * 2, ["xu", "xv", "xw", "xz"] * 2)
    assert list(rare.output_encoder_.vocabulary_)[3:] == ["x"]
    found = rare.predict_n_best(["a", "b"], n_best=20)
    assert {*"".join(prediction for kept in found for prediction, _ in kept)} == {"x"}


def test_states_of_any_cell_can_be_picked():
    model = tiny(cell=PlainCell).fit(WORDS, BACK)
    encoded = model.module_.encode(torch.ones(2, 3, 1, dtype=torch.int64))
    assert sample_axes(model.module_, encoded) == [{"h": [0], "read": None, "name": None}]


# -- predictions do not depend on the other samples --------------------------------------------------------------------


@pytest.mark.parametrize(
    "options", [{}, {"attention": True, "bidirectional": True}, {"cell": PlainCell, "units": (8, 8)}]
)
def test_a_text_alone_is_translated_as_among_others(options):
    model = tiny(max_epochs=4, **options).fit(WORDS, BACK)
    together = model.predict_n_best(WORDS, n_best=4)
    for word, kept in zip(WORDS, together, strict=True):
        (alone,) = model.predict_n_best([word], n_best=4)
        assert [prediction for prediction, _ in alone] == [prediction for prediction, _ in kept]
        assert_allclose([score for _, score in alone], [score for _, score in kept], rtol=1e-10)


@pytest.mark.parametrize("attention", [False, True])
def test_numbers_alone_are_predicted_as_among_others(attention):
    X = some_numbers()
    model = tiny(attention=attention, bidirectional=True).fit(X, every_second(X))
    for x, prediction in zip(X, model.predict(X), strict=True):
        assert_allclose(model.predict([x])[0], prediction, rtol=1e-10)


@pytest.mark.parametrize("numeric", [False, True])
def test_blocks_change_nothing(numeric, monkeypatch):
    X, y = (some_numbers(), every_second(some_numbers())) if numeric else (WORDS, BACK)
    model = tiny(attention=True).fit(X, y)
    whole, weights = model.predict(X), model.attention_weights(X)
    monkeypatch.setattr(sklrnn.training.inference, "_NUMBERS_AT_ONCE", 1)
    for part, block in zip(model.predict(X), whole, strict=True):
        assert_allclose(part, block) if numeric else None
        assert numeric or part == block
    for part, block in zip(model.attention_weights(X), weights, strict=True):
        assert_allclose(part, block, rtol=1e-9)


# -- attention ---------------------------------------------------------------------------------------------------------


def test_attention_weights_are_those_of_the_equation():
    model = tiny(attention=True, max_epochs=20).fit(WORDS, BACK)
    predictions, tables = model.predict(WORDS), model.attention_weights(WORDS)
    network = pickle.loads(pickle.dumps(model)).module_.double()
    for word, prediction, table in zip(WORDS, predictions, tables, strict=True):
        assert table.shape == (len(prediction), len(word))
        assert_allclose(table.sum(axis=1), 1)
        seen = []
        codes = torch.from_numpy(model.input_encoder_.transform([word])[0]) - 1
        by_hand(network, codes, torch.from_numpy(model.output_encoder_.transform([prediction])[0])[:-1], seen)
        assert_allclose(table, seen[0][: len(prediction)].detach(), rtol=1e-8)


def test_attention_weights_of_numbers():
    X = some_numbers()
    model = tiny(attention=True).fit(X, every_second(X))
    for x, prediction, table in zip(X, model.predict(X), model.attention_weights(X), strict=True):
        assert table.shape == (len(prediction), len(x))
        assert_allclose(table.sum(axis=1), 1)


def test_attention_weights_need_attention():
    with pytest.raises(ValueError, match="fitted without attention. Fit it with attention=True"):
        tiny().fit(WORDS, BACK).attention_weights(WORDS)


# -- kinds of sequences ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("y", "kind"),
    [
        (["x y", "y", "z x", "x"], str),
        ([["x", "y"], ["y"], ("z",), ["x"]], list),
        ([[60, 64], [60], np.array([67]), [64, 64]], np.ndarray),
    ],
)
@pytest.mark.parametrize(
    "X",
    [
        ["a b c", "b", "c a", "a"],
        [["a", "b"], ["b"], ["c", "a"], ["a"]],
        [[1, 2, 3], (2, 5), [7], np.array([7, 7])],
        np.array([[1, 2], [3, 4], [5, 6], [6, 7]]),
        some_numbers(4),
        [[0.5, 1], [0.5], [1, 2], [3]],
        np.random.default_rng(0).normal(size=(4, 3, 2)),
        np.random.default_rng(0).normal(size=(4, 3)),
        np.ones((4, 3, 2), dtype=int),
    ],
    ids=[
        "words",
        "tokens",
        "integers",
        "table of integers",
        "numbers",
        "nested",
        "block",
        "table",
        "block of integers",
    ],
)
def test_predictions_are_of_the_kind_of_the_targets(X, y, kind):
    model = tiny(analyzer="word", max_epochs=60).fit(X, y)
    predictions = model.predict(X)
    assert {type(prediction) for prediction in predictions} == {kind}
    allowed = {token for row in y for token in (row.split() if kind is str else list(row))}
    assert {token for row in predictions for token in (row.split() if kind is str else list(row))} <= allowed
    assert 0 <= model.score(X, y) <= 1
    assert (model.input_encoder_ is None) == (model.model_.architecture.n_tokens == 0)


@pytest.mark.parametrize(
    "y",
    [
        np.arange(12.0).reshape(4, 3),
        np.arange(24.0).reshape(4, 3, 2),
        np.arange(12).reshape(4, 3, 1),
        pd.DataFrame(np.arange(12.0).reshape(4, 3)),
        pl.DataFrame(np.arange(12.0).reshape(4, 3)),
        [np.arange(3.0), np.arange(2.0), np.arange(1.0), np.arange(3.0)],
        [np.ones((3, 2)), np.ones((2, 2)), np.ones((1, 2)), np.ones((3, 2))],
        [[0.5, 1], [0.5, 2], [1, 1.5], [3, 4]],
    ],
    ids=["table", "block", "block of integers", "frame", "polars", "univariate", "ragged", "lists"],
)
def test_numbers_come_in_the_shape_of_the_targets(y):
    model = tiny(max_epochs=1).fit(["a", "b", "ab", "ba"], y)
    predictions = model.predict(["a", "bb"])
    assert model.output_encoder_ is None
    if hasattr(y, "shape"):
        assert predictions.shape == (2, *y.shape[1:])
    else:
        assert type(predictions) is list
        assert {prediction.ndim for prediction in predictions} == {np.ndim(y[0])}
        assert {prediction.shape[1:] for prediction in predictions} == {np.shape(y[0])[1:]}
    assert predictions[0].dtype == np.float64
    assert np.isfinite(model.score(["a", "b", "ab", "ba"], y))


@pytest.mark.parametrize("container", [np.array, pd.Series, lambda texts: np.array(texts, dtype=object)])
def test_predictions_come_in_an_array_where_the_targets_did(container):
    predictions = tiny().fit(container(WORDS), container(BACK)).predict(WORDS)
    assert isinstance(predictions, np.ndarray)
    assert predictions.tolist() == tiny().fit(WORDS, BACK).predict(tuple(WORDS))


@pytest.mark.parametrize(("of_X", "of_y", "expected"), [("f4", "f4", "f4"), ("f8", "f4", "f8"), ("f4", "f8", "f8")])
def test_predictions_are_as_precise_as_their_input(of_X, of_y, expected):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(5, 3, 2)).astype(of_X), rng.normal(size=(5, 4)).astype(of_y)
    assert tiny().fit(X, y).predict(X).dtype == expected
    y = [row.astype(of_y) for row in y]
    assert tiny().fit(X, y).predict(X)[0].dtype == expected


def test_targets_may_have_an_offset():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4))
    plain = tiny(batch_size=60).fit(X, X.cumsum(axis=1))
    moved = tiny(batch_size=60).fit(1e3 * X - 7, 1e9 + X.cumsum(axis=1))
    assert_allclose(moved.predict(1e3 * X - 7) - 1e9, plain.predict(X), atol=1e-3)
    assert tiny(batch_size=60, normalize_y=False).fit(X, 1e3 + X).predict(X).mean() < 500
    assert_allclose(tiny(batch_size=60, normalize_X=False).fit(X, X).module_.standardise.mean, 0)


# -- ends of predictions -----------------------------------------------------------------------------------------------


def test_targets_of_one_length_give_predictions_of_that_length():
    rng = np.random.default_rng(0)
    X, y = some_numbers(), rng.normal(size=(12, 4))
    model = tiny().fit(X, y)
    assert model.model_.architecture.n_outputs == 1  # ends are not learnt
    assert model.predict(X[:2]).shape == (2, 4)
    assert tiny(max_length=7).fit(X, y).predict(X[:2]).shape == (2, 7)


def test_predictions_that_do_not_end_are_cut():
    rng = np.random.default_rng(0)
    texts = ["".join(rng.choice(list("ab"), n)) for n in rng.integers(1, 9, 40)]
    free, cut = (tiny(max_length=length).fit(texts, texts) for length in ("auto", 2))
    assert free.max_length_ == max(map(len, texts))
    assert cut.max_length_ == 2
    assert max(map(len, free.predict(texts))) <= free.max_length_
    assert max(map(len, cut.predict(texts))) == 2
    numbers = tiny(max_length=2).fit(some_numbers(40), every_second(some_numbers(40)))
    assert max(map(len, numbers.predict(some_numbers(40)))) <= 2


@pytest.mark.parametrize("unknown", ["mark", "drop", "error"])
@pytest.mark.parametrize("X", [["a", "", "b"], [[1], [], [2]]])
def test_an_input_sequence_may_be_empty(X, unknown):
    model = SequenceTranslator(units=16, max_epochs=80, unknown=unknown, random_state=0).fit(X * 2, ["x", "y", "z"] * 2)
    assert model.predict(X) == ["x", "y", "z"]
    assert len(tiny(unknown=unknown).fit(["a", "b"], ["x", "y"]).predict([""])) == 1


def test_a_prediction_may_be_empty():
    model = SequenceTranslator(units=16, max_epochs=80, random_state=0).fit(["a", "b", "ab", "ba"], ["", "x", "", "x"])
    assert model.predict(["a", "b", "ab", "ba"]) == ["", "x", "", "x"]


# -- score -------------------------------------------------------------------------------------------------------------


def test_score_of_tokens_is_the_share_of_exact_predictions():
    model = tiny(max_epochs=30).fit(WORDS, BACK)
    predictions = model.predict(WORDS)
    wrong = [prediction + "t" if place < 3 else prediction for place, prediction in enumerate(predictions)]
    assert model.score(WORDS, predictions) == 1.0
    assert model.score(WORDS, wrong) == pytest.approx(4 / 7)
    assert model.score(WORDS, wrong, sample_weight=[0, 0, 1, 1, 1, 0, 0]) == pytest.approx(2 / 3)
    assert model.score(WORDS, ["?"] * 7) == 0.0


def test_score_of_numbers_is_r2_over_steps():
    X = some_numbers(n_features=1)
    y = [np.hstack([x, x**2]) for x in X]
    weights = np.arange(12.0)
    model = tiny(max_epochs=20).fit(X, y)
    predictions = model.predict(X)
    same = [np.resize(row, prediction.shape) for row, prediction in zip(y, predictions, strict=True)]
    by_hand = r2_score(
        np.concatenate(same), np.concatenate(predictions), sample_weight=np.repeat(weights, [len(row) for row in same])
    )
    assert model.score(X, same, sample_weight=weights) == pytest.approx(by_hand)


def test_score_of_numbers_counts_steps_that_one_of_them_lacks():
    X = some_numbers(n_features=1)
    model = tiny(max_epochs=3).fit(X, [x[:, 0] for x in X])
    predictions = model.predict(X)
    longer = [np.append(prediction, 3.0) for prediction in predictions]
    mean = np.concatenate(longer).mean()
    filled = np.concatenate([np.append(prediction, mean) for prediction in predictions])
    assert model.score(X, longer) == pytest.approx(r2_score(np.concatenate(longer), filled))
    shorter = [prediction[:1] for prediction in predictions]
    mean = np.mean(shorter)
    filled = np.concatenate(
        [np.append(prediction[:1], np.full(len(prediction) - 1, mean)) for prediction in predictions]
    )
    assert model.score(X, shorter) == pytest.approx(r2_score(filled, np.concatenate(predictions)))


# -- training ----------------------------------------------------------------------------------------------------------


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
        {"units": (8, 6), "bidirectional": True},
        {"recurrent_dropout": 0.2, "l2": 1e-3},
        {"l1": 1e-3},
        {"attention": True, "dropout": 0.1},
        {"embedding_dim": 9},
        {"teacher_forcing": 0.5, "dropout": 0.2},
        {"schedule": "constant"},
        {"shuffle": False},
        {"batch_size": 3},
        {"n_jobs": 1},
    ],
)
@pytest.mark.parametrize("numeric", [False, True])
def test_every_option_trains_and_predicts(options, numeric):
    X, y = (some_numbers(), every_second(some_numbers())) if numeric else (WORDS, BACK)
    model = tiny(**options).fit(X, y)
    assert len(model.predict(X)) == len(X)
    plain = tiny().fit(X, y)
    assert (model.loss_curve_ == plain.loss_curve_) == ("n_jobs" in options)


@pytest.mark.parametrize(("n_pairs", "epochs"), [(4, 300), (200, 100), (40_000, 10)])
def test_few_pairs_get_many_epochs(n_pairs, epochs):
    assert resolve_epochs("auto", _STEPS, n_batches=-(-n_pairs // 4)) == epochs
    assert resolve_epochs(7, _STEPS, n_batches=n_pairs) == 7


def test_automatic_epochs_are_trained():
    model = tiny(max_epochs="auto", units=2, batch_size=7).fit(WORDS, BACK)
    assert model.n_iter_ == len(model.loss_curve_) == 300


def test_what_is_held_out_is_the_newest():
    X, y = ["ab", "b", "ba"] * 6 + ["cc", "ac"], ["a", "bb", "a"] * 6 + ["dd", "d"]
    model = tiny(early_stopping=True, max_epochs=8).fit(X, y)
    assert len(model.validation_curve_) == model.n_iter_ == 8
    assert model.best_validation_loss_ == min(model.validation_curve_) > 1.5 > model.loss_curve_[-1] > 0
    steps = [log_likelihood_of_raw(model, text, prediction) for text, prediction in zip(X[-2:], y[-2:], strict=True)]
    assert model.best_validation_loss_ == pytest.approx(-np.concatenate(steps).mean(), rel=1e-5)
    assert tiny().fit(X, y).validation_curve_ is None


def log_likelihood_of_raw(model, text, prediction):
    codes = torch.from_numpy(model.input_encoder_.transform([text])[0])[None, :, None]
    following = torch.from_numpy(model.output_encoder_.transform([prediction])[0])
    with torch.no_grad():
        raw = model.module_(codes, following[None, :-1], torch.tensor([len(following) - 1]))
    return raw.log_softmax(1)[torch.arange(len(raw)), following[1:]].numpy()


def test_a_pair_of_weight_zero_counts_as_absent():
    weights = np.array([1, 1, 0, 1, 0, 1, 1])
    there = weights > 0
    model = tiny().fit(WORDS, BACK, sample_weight=weights)
    without = tiny().fit(np.array(WORDS)[there], np.array(BACK)[there])
    assert model.input_encoder_.vocabulary_ == without.input_encoder_.vocabulary_
    assert model.loss_curve_ == without.loss_curve_
    assert model.max_length_ == 3
    X, y = some_numbers(7), every_second(some_numbers(7))
    model = tiny().fit(X, y, sample_weight=weights)
    without = tiny().fit(*([row for row, here in zip(rows, there, strict=True) if here] for rows in (X, y)))
    assert model.loss_curve_ == without.loss_curve_
    for one, other in zip(model.predict(X), without.predict(X), strict=True):
        assert_allclose(one, other, rtol=1e-12)


def test_weights_decide_between_contradictions():
    X, y = ["a", "a", "b", "b"], ["x", "yy", "x", "yy"]
    model = tiny(units=16, max_epochs=250).fit(X, y, sample_weight=[9, 1, 1, 9])
    assert model.predict(["a", "b"]) == ["x", "yy"]
    assert np.exp(model.predict_n_best(["a"])[0][0][1]) == pytest.approx(0.9, abs=0.06)


def test_a_warm_start_continues():
    model = tiny(max_epochs=30, warm_start=True).fit(WORDS, BACK)
    before = model.loss_curve_
    model.set_params(max_epochs=3, teacher_forcing=0.5, max_length="auto").fit([*WORDS, "zebra"], [*BACK, "arbez"])
    assert model.loss_curve_[:30] == before
    assert model.n_iter_ == len(model.loss_curve_) == 33
    assert model.loss_curve_[30] < before[0]
    assert model.module_.teacher_forcing.ratio == 0.5
    assert "z" not in model.input_encoder_.vocabulary_
    model.set_params(warm_start=False).fit([*WORDS, "zebra"], [*BACK, "arbez"])
    assert "z" in model.input_encoder_.vocabulary_
    assert model.n_iter_ == 3


@pytest.mark.parametrize(
    "changed", [{"units": 9}, {"attention": True}, {"analyzer": "word"}, {"unknown": "drop"}, {"cell": "lstm"}]
)
def test_a_warm_start_with_another_network_is_an_error(changed):
    model = tiny(warm_start=True).fit(WORDS, BACK)
    with pytest.raises(ValueError, match=f"but {next(iter(changed))}.* changed"):
        model.set_params(**changed).fit(WORDS, BACK)


def test_a_warm_start_without_ends_needs_targets_of_the_same_length():
    X = some_numbers()
    model = tiny(warm_start=True, max_length=5).fit(X, np.ones((12, 3)))
    assert model.fit(X, np.zeros((12, 3))).n_iter_ == 4
    with pytest.raises(ValueError, match="had 3 steps, got targets of 1 to 3 steps"):
        model.fit(X, every_second(X))
    ended = tiny(warm_start=True).fit(X, every_second(X))
    assert ended.fit(X, np.zeros((12, 3))).n_iter_ == 4


def test_parameters_are_counted():
    model = tiny(units=(8, 6), attention=True, bidirectional=True).fit(WORDS, BACK)
    n_in, n_out = model.model_.architecture.n_tokens + 1, model.output_encoder_.n_tokens_

    def gru(n_features, units):
        return 3 * units * (n_features + units + 2)

    encoder = 2 * gru(4, 8) + 2 * gru(16, 6)
    decoder = gru(4 + 12, 8) + gru(8, 6)
    attention = 12 * 7 + 6 * (6 + 12 + 1)
    assert model.n_parameters_ == 4 * n_in + 4 * n_out + encoder + decoder + attention + n_out * 7


def test_lines_an_epoch(capsys):
    tiny(verbose=2).fit(WORDS, BACK)
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines()] == ["1/2", "2/2"]


# -- unknown tokens ----------------------------------------------------------------------------------------------------


def test_unknown_tokens_of_the_input():
    model = tiny(max_epochs=10).fit(WORDS, BACK)
    assert model.predict(["QQ"]) == model.predict(["ZX"])
    dropping = tiny(unknown="drop").fit(WORDS, BACK)
    assert dropping.predict(["Qcat", "dXog"]) == dropping.predict(["cat", "dog"])
    assert dropping.predict(["cat", "QX"])[1] == dropping.predict([""])[0]
    with pytest.raises(ValueError, match="X: The text in row 1 holds tokens that were not among those of fit: 'Q'"):
        tiny(unknown="error").fit(WORDS, BACK).predict(["cat", "Qat"])


def test_capitals_of_the_input_only():
    model = tiny(lowercase=True).fit([word.title() for word in WORDS], [word.upper() for word in WORDS])
    assert model.predict(["CAT"]) == model.predict(["cat"])
    assert model.predict(["cat"])[0].isupper()


def test_rare_tokens_may_be_left_out():
    model = tiny(max_tokens=3).fit(WORDS, BACK)
    assert model.input_encoder_.n_tokens_ == 4
    assert model.output_encoder_.n_tokens_ == 6


# -- seeds and copies --------------------------------------------------------------------------------------------------


def state_of_numpy():
    return np.random.get_state()[1].copy()  # noqa: NPY002


@pytest.mark.parametrize(
    "options", [{}, {"dropout": 0.3, "attention": True}, {"cell": PlainCell}, {"teacher_forcing": 0.5}]
)
def test_the_same_seed_gives_the_same_model_and_nothing_global_is_touched(options):
    of_torch, of_numpy, n_threads = torch.get_rng_state(), state_of_numpy(), torch.get_num_threads()
    one, same, other = (tiny(**{**options, "random_state": seed}).fit(WORDS, BACK) for seed in (0, 0, 1))
    assert one.predict_n_best(WORDS) == same.predict_n_best(WORDS)
    assert one.loss_curve_ == same.loss_curve_ != other.loss_curve_
    assert_array_equal(of_torch, torch.get_rng_state())
    assert_array_equal(of_numpy, state_of_numpy())
    assert torch.get_num_threads() == n_threads
    assert not torch.is_inference_mode_enabled()
    assert one.module_.head.weight.dtype == torch.float32


PAIRS = {
    "texts": (WORDS, BACK),
    "numbers": (some_numbers(), every_second(some_numbers())),
    "block": (some_numbers(), np.ones((12, 3, 2)) * np.arange(12.0)[:, None, None]),
    "melody": ([[60, 64], [67]] * 4, [[1, 2, 3], [2]] * 4),
}


@pytest.mark.parametrize("pairs", PAIRS)
@pytest.mark.parametrize("how", ["pickle", "skops"])
def test_a_copy_predicts_the_same(pairs, how):
    X, y = PAIRS[pairs]
    model = tiny(cell="lstm", attention=True, bidirectional=True).fit(X, y)
    if how == "pickle":
        copy = pickle.loads(pickle.dumps(model))
    else:
        safe = skops.io.dumps(model)
        copy = skops.io.loads(safe, trusted=skops.io.get_untrusted_types(data=safe))
    for one, other in zip(copy.predict(X), model.predict(X), strict=True):
        assert_array_equal(one, other)
    assert copy.score(X, y) == model.score(X, y)
    assert {type(weight) for weight in model.__getstate__()["model_"]["weights"].values()} == {np.ndarray}
    assert clone(copy).fit(X, y).loss_curve_ == model.loss_curve_


# -- scikit-learn ------------------------------------------------------------------------------------------------------


def test_a_search_over_units_and_attention():
    grid = {"units": [2, 24], "attention": [False, True]}
    texts = ["a", "b", "ab", "ba"] * 4
    search = GridSearchCV(tiny(max_epochs=80, batch_size=16), grid, cv=2).fit(texts, [text[::-1] for text in texts])
    assert search.best_params_["units"] == 24
    assert search.best_score_ == 1.0
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_predictions_across_folds():
    texts = np.array(["a", "b", "ab", "ba"] * 4)
    predictions = cross_val_predict(tiny(max_epochs=80, units=24, batch_size=16), texts, texts, cv=2)
    assert (predictions == texts).all()


def test_in_a_pipeline():
    model = make_pipeline(TokenEncoder(), tiny()).fit(WORDS, BACK)
    assert len(model.predict(WORDS)) == 7
    assert 0 <= model.score(WORDS, BACK) <= 1
    X = np.random.default_rng(0).normal(size=(6, 4, 2))
    scaled = make_pipeline(SequenceScaler(), tiny()).fit(X, X[:, :, 0])
    assert scaled.predict(X).shape == (6, 4)
    assert scaled[-1].n_features_in_ == 2


def test_the_callbacks_of_scikit_learn_see_every_epoch():
    callback = pytest.importorskip("sklearn.callback")
    monitor = callback.ScoringMonitor(scoring={"exact": lambda model, X, y: model.score(X, y)})
    model = tiny(max_epochs=3).set_callbacks(monitor).fit(WORDS, BACK)
    epochs = [row for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    assert [row["task_id"] for row in epochs] == [0, 1, 2]
    assert epochs[-1]["exact"] == model.score(WORDS, BACK)


def test_what_makes_no_sense_here_is_no_parameter():
    assert not {"filters", "kernel_size", "pool_size", "stateful"} & {*SequenceTranslator().get_params()}


# -- bad input ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("X", "y", "options", "message"),
    [
        (WORDS, BACK[:3], {}, "must hold as many sequences, got 7 in X and 3 in y"),
        ("cat", BACK, {}, "reads lists or arrays of sequences, got X='cat'"),
        (WORDS, None, {}, "reads lists or arrays of sequences, got y=None"),
        ([], [], {}, "needs at least one sequence, got none"),
        (["ab", "c"], ["", ""], {}, "y: There is nothing to learn from"),
        (["ab", None], ["a", "b"], {}, "X: Row 1 is missing"),
        (["ab", "b"], ["a", float("nan")], {}, "y: Row 1 is missing"),
        (
            ["ab", [1, 2]],
            ["a", "b"],
            {},
            "X: All samples must be of one kind, got characters in row 0 and integers in row 1",
        ),
        (
            ["ab", [0.5, 2]],
            ["a", "b"],
            {},
            "All sequences of X must be of one kind, got numbers in row 1 and text in row 0",
        ),
        (
            ["ab", "b"],
            [[0.5, 2], ["a"]],
            {},
            "All sequences of y must be of one kind, got numbers in row 0 and text in row 1",
        ),
        ([[1, "a"], [2]], ["a", "b"], {}, "X: The tokens in row 0 must all be strings or all be integers"),
        (
            [np.ones((2, 2)), np.ones((2, 3))],
            ["a", "b"],
            {},
            "sequence 1 has the shape .2, 3. and sequence 0 has .2, 2.",
        ),
        ([np.ones((2, 2)), np.ones((0, 2))], ["a", "b"], {}, "sequence 1 has the shape .0, 2.. Leave it out"),
        ([[0.5, np.nan], [1.0]], ["a", "b"], {}, "X contains NaN.*sample 0, step 1"),
        (["a", "b"], [np.ones((2, 2)), np.ones((2, 3))], {}, "target 1 has the shape .2, 3. and target 0"),
        (["a", "b"], [[0.5], [1.5, np.inf]], {}, "y contains NaN or infinity: the first is in row 1, step 1"),
        (["a", "b"], [[0.5], []], {}, "target 1 has the shape .0,.. Leave it out"),
        (["a", "b"], np.array([0.5, 1.5]), {}, "y holds sequences of numbers, but row 0 is"),
        (["a", "b"], [0.5, 1.5], {}, "y: Row 0 must be a string or a list of tokens, got float"),
        (np.array([0.5, 1.5]), ["a", "b"], {}, "Expected 2D array, got 1D array"),
        (["a", "b"], [[0.5], [1.5, 1.0]], {"beam_size": 2}, "Set beam_size=1, and use predict"),
        (WORDS, BACK, {"early_stopping": True}, "validation_fraction=0.1 of 7 samples leaves 0 to validate on"),
        (WORDS, BACK, {"learning_rate": 1e12, "optimizer": "sgd", "max_grad_norm": None}, "Training diverged"),
        (WORDS, BACK, {"peephole": True}, "peephole=True of SequenceTranslator is an option of cell='lstm'"),
        (WORDS, BACK, {"recurrent_dropout": 0.1, "cell": nn.GRU}, "recurrent_dropout=0.1 needs a cell"),
        (WORDS, BACK, {"units": 0}, "'units' parameter of SequenceTranslator"),
        (WORDS, BACK, {"beam_size": 0}, "'beam_size' parameter of SequenceTranslator"),
        (WORDS, BACK, {"teacher_forcing": 1.5}, "'teacher_forcing' parameter of SequenceTranslator"),
        (WORDS, BACK, {"max_length": "all"}, "'max_length' parameter of SequenceTranslator"),
        (WORDS, BACK, {"unknown": "ignore"}, "'unknown' parameter of SequenceTranslator"),
    ],
)
def test_bad_pairs_and_parameters(X, y, options, message):
    model = tiny(**options)
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)
    assert not hasattr(model, "net_")
    assert not hasattr(model, "input_encoder_")


@pytest.mark.parametrize(
    ("weights", "message"),
    [([1, 2], "one number for each of the 7 samples"), ([-1] * 7, "must not be negative"), ([0] * 7, "zero for every")],
)
def test_bad_weights(weights, message):
    with pytest.raises(ValueError, match=message):
        tiny().fit(WORDS, BACK, sample_weight=weights)
    with pytest.raises(ValueError, match=message):
        tiny().fit(WORDS, BACK).score(WORDS, BACK, sample_weight=weights)


def test_rows_of_weight_zero_are_not_counted_in_errors():
    with pytest.raises(ValueError, match=r"Row 1 is missing.* without those of weight zero"):
        tiny().fit(["a", "b", None], ["a", "b", "c"], sample_weight=[1, 0, 1])


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ("cat", "reads a list of texts, got a single string"),
        ([], "needs at least one text, got none"),
        ([["c", "a"]], "was fitted on characters, got tokens"),
        ([[1, 2]], "was fitted on characters, got integers"),
        (some_numbers(2), "was fitted on sequences of tokens, got numbers"),
        (None, "reads a list"),
    ],
)
@pytest.mark.parametrize("method", ["predict", "predict_n_best", "attention_weights"])
def test_bad_input_of_predict(method, X, message):
    with pytest.raises(ValueError, match=message):
        getattr(FITTED["texts"](), method)(X)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (["cat"], "knows sequences of numbers, got text in row 0"),
        (some_numbers(2, n_features=3), "3 features, but SequenceTranslator is expecting 2 features"),
        ([np.ones((0, 2))], "sequence 0 has the shape"),
        ([np.array([[1.0, np.nan]])], "contains NaN"),
    ],
)
def test_bad_numbers_of_predict(X, message):
    with pytest.raises(ValueError, match=message):
        FITTED["numbers"]().predict(X)


def _fitted(pairs):
    kept = []

    def fitted():
        if not kept:
            kept.append(tiny(attention=True).fit(*PAIRS[pairs]))
        return kept[0]

    return fitted


FITTED = {pairs: _fitted(pairs) for pairs in PAIRS}


def test_bad_scores():
    texts, numbers = FITTED["texts"](), FITTED["numbers"]()
    with pytest.raises(ValueError, match="got 7 in X and 2 in y"):
        texts.score(WORDS, BACK[:2])
    with pytest.raises(ValueError, match="this translator predicts tokens, got numbers"):
        texts.score(WORDS, [[0.5]] * 7)
    with pytest.raises(ValueError, match="was fitted with 1 value.s. a step, got y with 2"):
        numbers.score(some_numbers(2), some_numbers(2))
    with pytest.raises(ValueError, match="y: this translator knows sequences of numbers, got text in row 0"):
        numbers.score(some_numbers(2), ["a", "b"])
    with pytest.raises(ValueError, match="A beam search needs tokens, but this SequenceTranslator predicts numbers"):
        numbers.predict_n_best(some_numbers(2))
    for n_best in (0, 1.5, "all"):
        with pytest.raises(ValueError, match=f"n_best must be an int of at least 1, got {n_best!r}"):
            texts.predict_n_best(WORDS, n_best=n_best)


@pytest.mark.parametrize("method", ["predict", "predict_n_best", "attention_weights"])
def test_not_fitted(method):
    with pytest.raises(NotFittedError):
        getattr(SequenceTranslator(), method)(["a"])
    with pytest.raises(NotFittedError):
        SequenceTranslator().score(["a"], ["b"])


def test_a_translator_can_be_fitted_anew_on_another_kind():
    model = tiny().fit(some_numbers(4), ["a", "b", "c", "d"])
    assert model.n_features_in_ == 2
    model.fit(WORDS, np.ones((7, 3)) * np.arange(7.0)[:, None])
    assert not hasattr(model, "n_features_in_")
    assert model.predict(WORDS).shape == (7, 3)
    assert (model.output_encoder_, model.module_.attention) == (None, None)


def test_integers_are_numbers_to_a_network_of_numbers():
    X = some_numbers(6, n_features=1)
    model = tiny().fit([x[:, 0] for x in X], ["a", "b"] * 3)
    assert model.predict([[1, 2, 3]]) == model.predict([[1.0, 2.0, 3.0]])


def test_a_failed_fit_leaves_the_fitted_model_as_it_was():
    model = tiny().fit(WORDS, BACK)
    before = model.predict_n_best(WORDS)
    with pytest.raises(ValueError, match="diverged"):
        model.set_params(learning_rate=1e12, optimizer="sgd", max_grad_norm=None).fit(["xyz", "zyx"], ["1", "2"])
    assert model.predict_n_best(WORDS) == before
