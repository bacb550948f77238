"""What several demos share: options and figures, the networks of the tutorials, the XOR network, functions to study."""
