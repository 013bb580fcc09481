"""Entities of BIO tags, and their F1."""

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import UndefinedMetricWarning

from sklrnn.inputs.ragged import as_object_array
from sklrnn.metrics import entity_f1_score
from sklrnn.metrics.entities import entities

TRUE = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "B-PER"], ["B-LOC", "B-LOC", "I-LOC"]]
PREDICTED = [["B-PER", "I-PER", "O", "O"], ["B-PER", "I-PER"], ["B-LOC", "I-LOC", "I-LOC"]]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("O O", []),
        ("B-X I-X O", [("X", 0, 2)]),
        ("B-X B-X", [("X", 0, 1), ("X", 1, 2)]),
        ("O I-X I-X", [("X", 1, 3)]),  # begins without B-
        ("B-X I-Y I-Y", [("X", 0, 1), ("Y", 1, 3)]),  # another type begins an entity
        ("I-X B-X I-X", [("X", 0, 1), ("X", 1, 3)]),
        ("B-X-Y I-X-Y", [("X-Y", 0, 2)]),
        ("B I O I", [("", 0, 2), ("", 3, 4)]),
        ("", []),
    ],
)
def test_entities_begin_and_end_as_conlleval_says(tags, expected):
    assert list(entities(tags.split())) == expected


def by_definition(tags):
    """Each pair of a begin and the next end, by the two rules of conlleval."""
    before, after = ["O", *tags], [*tags, "O"]

    def begins(step):
        return tags[step][0] == "B" or (tags[step][0] == "I" and before[step][1:] != tags[step][1:])

    def ends(step):
        return after[step + 1][0] != "I" or after[step + 1][1:] != tags[step][1:]

    steps = range(len(tags))
    return [(tags[s][2:], s, next(e for e in steps if e >= s and ends(e)) + 1) for s in steps if begins(s)]


def test_entities_of_random_tags_are_those_of_the_definition():
    random = np.random.default_rng(0)
    for length in range(200):
        tags = random.choice(["O", "B-X", "I-X", "B-Y", "I-Y"], size=length % 12).tolist()
        assert list(entities(tags)) == by_definition(tags)


def test_f1_counts_whole_entities():
    # Right: PER in the first sequence. True are 5, predicted 3.
    assert entity_f1_score(TRUE, PREDICTED) == pytest.approx(2 * 1 / (5 + 3))
    assert entity_f1_score(TRUE, TRUE) == 1.0
    assert entity_f1_score(TRUE, PREDICTED, average=None) == {"LOC": 0.0, "PER": pytest.approx(2 / 4)}
    assert entity_f1_score(TRUE, PREDICTED, average="macro") == pytest.approx(1 / 4)
    assert entity_f1_score(TRUE, PREDICTED, average="weighted") == pytest.approx(2 / 5 * 1 / 2)


def test_f1_counts_the_type_too():
    assert entity_f1_score([["B-PER", "O"]], [["B-LOC", "O"]], average=None) == {"LOC": 0.0, "PER": 0.0}
    assert entity_f1_score([["O", "O"]], [["B-LOC", "O"]]) == 0.0
    assert entity_f1_score([["O", "O"]], [["B-LOC", "O"]], average="weighted") == 0.0


def test_a_weight_counts_a_sequence_as_often():
    weighted = entity_f1_score(TRUE, PREDICTED, sample_weight=[3, 0, 1])
    assert weighted == entity_f1_score([TRUE[0]] * 3 + [TRUE[2]], [PREDICTED[0]] * 3 + [PREDICTED[2]])


@pytest.mark.parametrize("form", [as_object_array, pd.Series, lambda rows: [np.array(row) for row in rows], tuple])
def test_every_form_of_sequences_is_read(form):
    assert entity_f1_score(form(TRUE), form(PREDICTED)) == 0.25


def test_arrays_and_data_frames_are_read():
    true, predicted = np.array(TRUE[:1] * 2), np.array(PREDICTED[:1] * 2)
    assert entity_f1_score(true, predicted) == entity_f1_score(pd.DataFrame(true), predicted) == pytest.approx(2 / 3)


def test_no_entity_at_all_is_announced():
    with pytest.warns(UndefinedMetricWarning, match="holds an entity, so the F1 is not defined") as caught:
        assert entity_f1_score([["O"]], [["O"]]) == 0.0
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("true", "predicted", "options", "message"),
    [
        (
            ["B-X", "O"],
            [["B-X", "O"]],
            {},
            r"y_true must hold the tags of each .* row 0 is 'B-X'. .* \[tags\]",
        ),
        ("B-X", [["B-X"]], {}, "tags of several sequences are needed, got 'B-X'"),
        ([["PER", "O"]], [["O", "O"]], {}, "A tag is 'O', or 'B-' .* y_true holds 'PER' in sequence 0, step 0"),
        ([["O", "O"]], [["O", 3]], {}, "y_pred holds 3 in sequence 0, step 1"),
        ([["S-PER"]], [["O"]], {}, "y_true holds 'S-PER'"),
        ([["O"], ["O"]], [["O"]], {}, "y_true holds 2 sequences, but y_pred holds 1"),
        ([["O"], ["O"]], [["O"], ["O", "O"]], {}, "Sequence 1 has 1 tags in y_true, but 2 in y_pred"),
        ([["O"]], [["O"]], {"average": "binary"}, "average must be one of 'micro', 'macro', 'weighted' or None"),
        ([["O"]], [["O"]], {"sample_weight": [1, 2]}, "one number for each of the 1 samples"),
    ],
)
def test_bad_tags_are_errors_that_say_where(true, predicted, options, message):
    with pytest.raises(ValueError, match=message):
        entity_f1_score(true, predicted, **options)
