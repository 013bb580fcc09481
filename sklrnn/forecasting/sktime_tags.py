"""What sktime is told about the forecasters."""

from typing import Any

TAGS: dict[str, Any] = {
    "authors": "The sklrnn developers",
    "maintainers": "The sklrnn developers",
    "python_dependencies": None,
    "y_inner_mtype": ["pd.DataFrame", "pd-multiindex", "pd_multiindex_hier"],
    "X_inner_mtype": ["pd.DataFrame", "pd-multiindex", "pd_multiindex_hier"],
    "capability:multivariate": True,
    "capability:exogenous": True,
    # A network reads X of all steps that it predicts at once.
    "capability:non_contiguous_X": False,
    "capability:insample": True,
    "capability:pred_int": True,
    "capability:pred_int:insample": True,
    "capability:missing_values": True,
    "capability:update": True,
    "capability:pretrain": True,
    "pretrain:fitted_params": [
        "pretrained_",
        "columns_",
        "window_spec_",
        "window_length_",
        "horizon_",
        "sp_",
        "fold_",
        "baseline_",
        "channels_",
    ],
    "requires-fh-in-fit": False,
    "capability:categorical_in_X": False,
    "capability:random_state": True,
    "property:randomness": "derandomized",
}
