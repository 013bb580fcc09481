"""The cells by name, their gates in words, and a base class for your own cells: an alias of `sklrnn.nn.cells`."""

from sklrnn.nn.cells import CELLS, GATES, StepwiseCell

__all__ = ["CELLS", "GATES", "StepwiseCell"]
