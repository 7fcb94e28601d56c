import jax.numpy as jnp
import numpy as np

from hybridvit.models.prediction import Prediction
from hybridvit.objectives.joint_batch import interleave, separate


def test_interleave_keeps_groups_of_both_and_separate_undoes_it():
    first, second = jnp.arange(8.0)[:, None, None, None], 100 + jnp.arange(4.0)[:, None, None, None]
    both = interleave(first, second)
    assert both[:, 0, 0, 0].tolist() == [0, 1, 100, 2, 3, 101, 4, 5, 102, 6, 7, 103]
    one, other = separate(Prediction(both, None), 8, 4)
    np.testing.assert_array_equal(one.chroma, first)
    np.testing.assert_array_equal(other.chroma, second)
