"""Looking inside fitted networks: gates, states, gradients and filters as tables and plots; networks as pictures."""

from sklrnn.inspection.attention_display import AttentionDisplay
from sklrnn.inspection.attention_table import attention
from sklrnn.inspection.filter_display import FilterDisplay
from sklrnn.inspection.filter_table import filter_responses, filters
from sklrnn.inspection.forecast_display import ForecastDisplay
from sklrnn.inspection.gate_display import GateDisplay
from sklrnn.inspection.gate_table import cell_states, gates
from sklrnn.inspection.gradient_flow_display import GradientFlowDisplay
from sklrnn.inspection.gradient_table import gradient_flow
from sklrnn.inspection.importance_display import SequenceImportanceDisplay
from sklrnn.inspection.importance_table import sequence_importance
from sklrnn.inspection.network_picture import draw_network
from sklrnn.inspection.split_display import SplitDisplay
from sklrnn.inspection.split_table import split_roles
from sklrnn.inspection.state_display import StateDisplay
from sklrnn.inspection.training_display import TrainingCurveDisplay
from sklrnn.inspection.training_table import training_curves
from sklrnn.inspection.window_display import WindowDisplay

__all__ = [
    "AttentionDisplay",
    "FilterDisplay",
    "ForecastDisplay",
    "GateDisplay",
    "GradientFlowDisplay",
    "SequenceImportanceDisplay",
    "SplitDisplay",
    "StateDisplay",
    "TrainingCurveDisplay",
    "WindowDisplay",
    "attention",
    "cell_states",
    "draw_network",
    "filter_responses",
    "filters",
    "gates",
    "gradient_flow",
    "sequence_importance",
    "split_roles",
    "training_curves",
]
