"""The columns of an unrolled network: steps 1, 2 and 3, dots for those between, and the last one."""

from dataclasses import dataclass

_PLACES = (0.0, 1.0, 2.0, 3.6)
_PLACE_OF_DOTS = 2.8


@dataclass(frozen=True)
class TimeAxis:
    """``left`` is the first column, ``pitch`` the distance to the next, and ``last`` the name of the last step."""

    left: float
    pitch: float
    last: str

    @property
    def columns(self) -> tuple[float, ...]:
        """Where the steps are that are drawn."""
        return tuple(self.left + self.pitch * place for place in _PLACES)

    @property
    def dots(self) -> float:
        """Where dots stand for the steps that are not drawn."""
        return self.left + self.pitch * _PLACE_OF_DOTS

    @property
    def middle(self) -> float:
        return (self.columns[0] + self.columns[-1]) / 2

    def edges(self) -> tuple[float, float]:
        """The left and right end of what stands in the columns."""
        return self.left - self.pitch / 2, self.columns[-1] + self.pitch / 2

    def numbers(self, *, first: int = 1) -> list[str]:
        """The number of each step."""
        last = self.last if first == 1 else f"{self.last}-{1 - first}"
        return [*(str(first + place) for place in range(len(_PLACES) - 1)), last]
