"""The third tutorial: the example with two outputs, to the last printed digit."""
