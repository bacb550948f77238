"""The three tutorials on backpropagation, section by section; their derivations; all their misprints."""
