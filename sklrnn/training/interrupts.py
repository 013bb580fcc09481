"""Ctrl-C in training: what was learnt is kept, then the interrupt goes on to the caller."""

import dis
from typing import Any, NoReturn

from sklearn.exceptions import ConvergenceWarning

from sklrnn.inputs.user_warnings import warn_user


class TrainingInterrupted(KeyboardInterrupt):
    """Raised by training where Ctrl-C came after its first step; ``trained`` can be used like any trained network."""

    def __init__(self, trained: Any, message: str) -> None:
        super().__init__(message)
        self.trained = trained


def is_raised_by_code(error: KeyboardInterrupt) -> bool:
    """Whether a ``raise`` statement raised this, as callbacks of skorch do to end training, and not a signal.

    Ctrl-C may also come while a callback runs. Python then raises the exception between two instructions, or in a call.
    """
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return False
    return dis.opname[trace.tb_frame.f_code.co_code[trace.tb_lasti]] == "RAISE_VARARGS"


def pass_on(interrupt: TrainingInterrupted) -> NoReturn:
    """Say what is kept, and let the caller know of Ctrl-C: a search or a loop has to end too."""
    try:
        warn_user(str(interrupt), ConvergenceWarning)
    finally:  # also where warnings are errors
        raise KeyboardInterrupt(str(interrupt)) from None
