"""The first tutorial: networks and their formulas, the cost, its surface, and the training on XOR."""
