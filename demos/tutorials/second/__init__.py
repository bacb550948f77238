"""The second tutorial: derivatives, gradient descent, and networks of one to three neurons."""
