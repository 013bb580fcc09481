"""Warnings name the line of the user, whatever lies between."""

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV

from sklrnn import GRUClassifier


def test_a_warning_within_a_search_names_the_line_that_calls_its_fit():
    X, y = np.random.default_rng(0).normal(size=(60, 3, 1)), np.repeat(["common", "rare"], [59, 1])
    network = GRUClassifier(units=2, max_epochs=1, early_stopping=True, random_state=0)
    everything = np.arange(60)
    search = GridSearchCV(network, {"batch_size": [60]}, cv=[(everything, everything)], refit=False)
    with pytest.warns(UserWarning, match="trains on all samples") as caught:
        search.fit(X, y)
    assert [warning.filename for warning in caught] == [__file__]
