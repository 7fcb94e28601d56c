import numpy as np
import pytest

from configs import ssl_vit
from hybridvit.comparison.label_measures import Answers, fit_scale
from hybridvit.training.state import build_networks


@pytest.mark.parametrize("factor", [0.5, 1.4])
def test_the_scale_is_what_brings_the_chroma_to_the_truth(factor):
    config = ssl_vit.get_config()
    config.model.variant = "test"
    rng = np.random.default_rng(0)
    chroma = rng.uniform(-0.2, 0.2, (4, 16, 16, 2)).astype(np.float32)
    luma = np.zeros((4, 16, 16, 1), np.float32)  # mid gray, where all of these are in gamut
    answers = Answers(luma, factor * chroma, chroma, np.zeros((4, 2, 2, 313), np.float32))
    assert fit_scale(answers, build_networks(config)) == pytest.approx(factor, abs=0.02)
