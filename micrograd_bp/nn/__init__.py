"""Networks of Values: `network.py` has `Neuron`, `Layer` and `MLP`, `module.py` what holds parameters, `leaves.py` the
walk over them in a training step, `initialisers.py` the first weights. Begin reading in `network.py`.
"""

from micrograd_bp.nn.initialisers import constant, he, normal, uniform, xavier
from micrograd_bp.nn.module import Module
from micrograd_bp.nn.network import MLP, Layer, Neuron, activation_names

__all__ = ["MLP", "Layer", "Module", "Neuron", "activation_names", "constant", "he", "normal", "uniform", "xavier"]
