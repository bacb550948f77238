"""The version of the package, for all rooms and for the build."""

__version__ = "0.1.0"
