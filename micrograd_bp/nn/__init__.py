"""Networks of Values. `network.py` has `Neuron`, `Layer` and `MLP`; `module.py` has `Module`, which holds parameters;
`leaves.py` finds them in a training step; `initialisers.py` draws the first weights.

The room uses `ops` and `engine`. Begin reading in `network.py`.
"""

from micrograd_bp.nn.initialisers import constant, he, normal, uniform, xavier
from micrograd_bp.nn.module import Module
from micrograd_bp.nn.network import MLP, Layer, Neuron, activation_names

__all__ = ["MLP", "Layer", "Module", "Neuron", "activation_names", "constant", "he", "normal", "uniform", "xavier"]
