"""Weights of a real training without the bins: they colour by their mean, and say so where a distribution is needed."""

import pathlib

import numpy as np
import pytest
from PIL import Image

from hybridvit.colorize import command
from hybridvit.inference.colorizer import load
from hybridvit.inference.weights import load_weights, save_weights
from hybridvit.training.inherit import prior_of
from tests.commands import call, results, write_scans


@pytest.fixture
def run(tmp_path, monkeypatch, capsys, quick_run):
    monkeypatch.chdir(tmp_path)
    write_scans()
    return lambda line: call(command.main, f"{line} --weights {quick_run}", capsys)


def test_vivid_is_their_mean_and_that_is_said(run):
    code, out, err = run("scans/a.jpg --output vivid")
    assert code == 0
    said = [line for line in out + err if "one colour for each place" in line]
    assert len(said) == 1
    assert said[0].endswith("(--decode mean)")
    code, out, err = run("scans/a.jpg --output mean --decode mean")
    assert (code, [line for line in out + err if "one colour" in line]) == (0, [])
    vivid, mean = (np.asarray(Image.open(pathlib.Path(name, "a.jpg"))) for name in ("vivid", "mean"))
    np.testing.assert_array_equal(vivid, mean)


@pytest.mark.parametrize(
    ("option", "said"),
    [("--samples 2", "draws no samples"), ("--uncertainty", "does not know how sure it is")],
)
def test_what_needs_a_distribution_is_refused_in_a_line(run, option, said):
    code, out, err = run(f"scans/a.jpg --output out {option}")
    assert code == 1
    lines = [line for line in out + err if said in line]
    assert len(lines) == 1
    assert not any("report it" in line for line in out + err)
    assert results() == []


def test_they_are_kept_in_a_file(quick_run, tmp_path):
    weights = load_weights(quick_run)
    assert weights.log_rarity is None
    assert prior_of(weights.log_rarity, 0.5) == pytest.approx(np.full(313, 1 / 313))
    save_weights(weights, tmp_path / "unet.safetensors")
    gray = np.random.default_rng(0).integers(0, 256, (1, 24, 40)) / 2.55
    hints = np.zeros((1, 24, 40, 2)), np.zeros((1, 24, 40), bool)
    found = [load(path).predictor(gray) for path in (quick_run, tmp_path / "unet.safetensors")]
    assert found[0].logits is None
    np.testing.assert_array_equal(found[0].vivid, found[0].mean)
    np.testing.assert_allclose(found[1].mean, found[0].mean, atol=0.1)  # of 16 bits
    assert load(quick_run).predictor(gray, hints).mean.shape == (1, 24, 40, 2)
