"""The methods without learning, under the protocol of the networks."""

import numpy as np
import pytest
from skimage.color import lab2rgb, rgb2lab
from skimage.metrics import peak_signal_noise_ratio

from hybridvit.classical.levin import propagate
from hybridvit.comparison.methods import evaluate_method, make_choice, measure_method, usable_counts
from hybridvit.comparison.systems import build_systems
from hybridvit.data.pipeline import make_eval_pictures
from hybridvit.hints.simulate import protocol_hints


@pytest.fixture
def method_config(config, tmp_path):
    config.eval.image_size = 32
    config.data.eval_limit = 3
    config.eval.batch_size = 3
    config.eval.grid_pictures = 2
    return build_systems(config, tmp_path)[-1].config


def test_levins_under_the_protocol_is_levins_by_itself(method_config):
    report, rows = evaluate_method("levin", method_config, (0, 10))
    assert {name for name in report["systems"] if "model" in name} == {"model@10"}
    pictures = make_eval_pictures(method_config.data, 32)
    assert len(pictures) == 3
    for name, picture in pictures:
        lab = rgb2lab(picture).astype(np.float32)
        ab = propagate(lab[..., 0], *protocol_hints(lab[..., 1:], name, 10))
        rgb = np.rint(255 * lab2rgb(np.concatenate([lab[..., :1], ab], -1))).astype(np.uint8)
        expected = peak_signal_noise_ratio(picture, rgb)
        assert report["per_picture_psnr"]["model@10"][name] == pytest.approx(expected, abs=0.02)
        if name == pictures[0][0]:
            assert np.abs(rows[0][:, 32:64].astype(int) - rgb).max() <= 1


def test_only_what_does_nothing_without_hints_goes_without_the_automatic_mode():
    assert usable_counts("levin", (0, 1, 10)) == (1, 10)
    assert usable_counts("rules", (0, 1, 10)) == (0, 1, 10)
    assert usable_counts("levin", (0,)) == (0,)


def test_the_reference_is_the_most_alike_in_lightness():
    rng = np.random.default_rng(0)
    references = np.kron(rng.integers(0, 256, (5, 4, 4, 3), np.uint8), np.ones((1, 8, 8, 1), np.uint8))
    choose = make_choice(references)
    for reference in references:
        L = rgb2lab(reference)[..., 0].astype(np.float32)
        np.testing.assert_array_equal(choose(L), reference)
        np.testing.assert_array_equal(choose(L + 1), reference)


@pytest.mark.parametrize("name", ["levin", "reinhard"])
def test_a_method_takes_time_and_has_no_parameters(method_config, name):
    found = measure_method(name, method_config, 5)
    assert found.milliseconds > 0
    assert found.parameters is found.gflops is None
