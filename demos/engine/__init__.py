"""What the engine does: values, gradients and their order, checks, pictures, machine code, several processes."""
