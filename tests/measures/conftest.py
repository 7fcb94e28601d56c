import numpy as np
import pytest


@pytest.fixture(scope="session")
def photos() -> np.ndarray:
    """Six pictures of coarse patches, `[6, 96, 64, 3]` in 0..1."""
    rng = np.random.default_rng(0)
    return rng.uniform(0, 1, (6, 6, 4, 3)).astype(np.float32).repeat(16, 1).repeat(16, 2)
