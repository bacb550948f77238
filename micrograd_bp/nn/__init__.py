"""Networks of Values: `Module`, `Neuron`, `Layer`, `MLP`, and initialisers for their weights."""

from micrograd_bp.nn.initialisers import constant, he, normal, uniform, xavier
from micrograd_bp.nn.module import Module
from micrograd_bp.nn.network import MLP, Layer, Neuron, activation_names

__all__ = ["MLP", "Layer", "Module", "Neuron", "activation_names", "constant", "he", "normal", "uniform", "xavier"]
