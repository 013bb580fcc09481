"""What must be set before scikit-learn and matplotlib are imported anywhere."""

import os

# Without this, scikit-learn skips its check of array API input.
os.environ["SCIPY_ARRAY_API"] = "1"
os.environ["MPLBACKEND"] = "Agg"
