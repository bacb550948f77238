"""What three tutorials on backpropagation print: every case that can be checked, and how it is."""
