"""How fast, beside whom: `python -m benchmarks`."""
