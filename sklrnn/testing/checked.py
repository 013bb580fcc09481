"""What checks that suit estimators, forecasters and transformers alike need to know of what they check."""

from typing import Any, Protocol


class Checked(Protocol):
    """An object under test with its data."""

    @property
    def name(self) -> str:
        """The name of its class, for messages."""

    @property
    def can_train_on(self) -> bool:
        """Whether a fitted one can be trained further."""

    @property
    def X(self) -> Any:
        """The data to fit on."""

    @property
    def y(self) -> Any:
        """Their targets, or the series to forecast."""

    def fit(self, X: Any = None, y: Any = None) -> Any:
        """A fitted copy."""

    def answers(self, model: Any, X: Any = None) -> Any:
        """What a fitted copy gives."""

    def train_on(self, model: Any) -> Any:
        """Train a fitted copy further."""

    def as_table(self) -> "Checked":
        """The same with an X of two axes, where it takes one."""
