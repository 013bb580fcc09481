"""What must be set before scikit-learn and matplotlib are imported anywhere, and how Ctrl-C reaches tests."""

import os
import signal

# Without this, scikit-learn skips its check of array API input.
os.environ["SCIPY_ARRAY_API"] = "1"
os.environ["MPLBACKEND"] = "Agg"

# A shell lets what it starts in the background ignore Ctrl-C, which some tests raise.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
