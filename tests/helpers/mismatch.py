"""The error that `check_gradient` raises for a wrong gradient."""

from typing import Any

import pytest

from micrograd_bp import GradientMismatch, check_gradient


def mismatch(*args: Any, **kwargs: Any) -> GradientMismatch:
    """What `check_gradient` raises with these arguments; a failed test if it raises nothing."""
    with pytest.raises(GradientMismatch) as caught:
        check_gradient(*args, **kwargs)
    return caught.value
