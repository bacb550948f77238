"""Networks that are trained on data, from the raw data to words or classes."""
