"""The cells by name, the words for their gates, and a base class for a cell of one's own: an alias of `sklrnn.nn.cells`."""

from sklrnn.nn.cells import CELLS, GATES, StepwiseCell

__all__ = ["CELLS", "GATES", "StepwiseCell"]
