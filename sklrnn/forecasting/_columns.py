"""Which columns the networks have learnt, whatever order they come in later."""

from collections.abc import Hashable
from typing import NamedTuple

import pandas as pd

Names = tuple[Hashable, ...]


class Columns(NamedTuple):
    """The names of the columns of y and X, in the order in which the networks read them."""

    y: Names
    X: Names

    @classmethod
    def of(cls, y: pd.DataFrame, X: pd.DataFrame | None) -> "Columns":
        return cls(tuple(y.columns), () if X is None else tuple(X.columns))

    def arrange_y(self, y: pd.DataFrame) -> pd.DataFrame:
        """Put the columns of y in order; that of a single channel may have any name."""
        return y.iloc[:, self.order_of_y(y.columns)]

    def order_of_y(self, names: pd.Index) -> list[int]:
        """The places of the channels among these names."""
        return [0] if len(self.y) == len(names) == 1 else _places(self.y, names, "y")

    def arrange_X(self, X: pd.DataFrame | None) -> pd.DataFrame | None:
        """Put the columns of X in order."""
        if X is None and not self.X:
            return None
        if X is None:
            raise ValueError(f"The networks have learnt the columns {list(self.X)} of X, got no X. Pass X too.")
        return X.iloc[:, _places(self.X, X.columns, "X")]

    def arrange_future_X(self, X: pd.DataFrame, known: tuple[int, ...]) -> pd.DataFrame:
        """Put the columns of X in order; only those that are known in the future have to be there."""
        if _are_numbered(X.columns) and len(X.columns) == len(self.X):
            return X.set_axis(list(self.X), axis=1)
        wanted = [self.X[place] for place in known]
        missing = [name for name in wanted if name not in X.columns]
        if missing:
            raise ValueError(
                f"The forecast needs the columns {wanted} of X, but {missing} are missing: X has {list(X.columns)}."
            )
        return X.reindex(columns=list(self.X))


def _places(learnt: Names, names: pd.Index, what: str) -> list[int]:
    if set(names) == set(learnt):
        return [list(names).index(name) for name in learnt]
    # Arrays have no names: their columns are taken as they stand.
    if len(names) == len(learnt) and (_are_numbered(names) or _are_numbered(pd.Index(learnt))):
        return list(range(len(names)))
    raise ValueError(
        f"The networks have learnt {f'the columns {list(learnt)} of {what}' if learnt else f'without {what}'}, got "
        f"{list(names)}. Pass the same columns, or make a new forecaster."
    )


def _are_numbered(names: pd.Index) -> bool:
    return list(names) == list(range(len(names)))
