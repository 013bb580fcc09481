"""Looking inside fitted networks: gates, states, gradients and filters, as tables and as plots."""


from sklrnn.inspection.filters import filter_responses, filters

from sklrnn.inspection.gates import cell_states, gates
from sklrnn.inspection.gradient_flow import gradient_flow



__all__ = [
    "FilterDisplay",
    "GateDisplay",
    "GradientFlowDisplay",
    "StateDisplay",
    "cell_states",
    "filter_responses",
    "filters",
    "gates",
    "gradient_flow",
]
