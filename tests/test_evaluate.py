"""The evaluation against independent computations, on its own and from a checkpoint."""

import dataclasses
import functools
import json
import re
import shutil
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh
from PIL import Image
from skimage.color import deltaE_ciede2000, lab2rgb, rgb2lab
from skimage.metrics import structural_similarity

from hybridvit.evaluate import evaluate_checkpoint, grid_row, make_evaluate, save_report
from hybridvit.hints.simulate import protocol_hints
from hybridvit.inference.decode import vivid_ab
from hybridvit.inference.weights import save_weights
from hybridvit.measures.aligned import align_tables
from hybridvit.measures.classifier import build_classifier
from hybridvit.measures.grid_headings import HEIGHT
from hybridvit.measures.tables import TRUTH, VIVID, hints_table, quality_table
from hybridvit.models.prediction import Prediction
from hybridvit.runtime.mesh import build_mesh
from hybridvit.tasks.colorize import GRAY, TINT
from hybridvit.training.state import build_networks

SIZE = 32


def repeat_hints(params: None, luma: jax.Array, hints: jax.Array) -> Prediction:
    """A model that colours what it is told, and nothing else; surest where it is told."""
    b, h, w, _ = luma.shape
    return Prediction(hints[..., :2], jnp.zeros((b, h // 8, w // 8, 313)))


@pytest.fixture(scope="module")
def pictures() -> list[tuple[str, np.ndarray]]:
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (3, 5, 5, 3), np.uint8)
    return [
        (f"set/{i}.png", np.asarray(Image.fromarray(colors).resize((SIZE, SIZE), Image.BICUBIC)))
        for i, colors in enumerate(coarse)
    ]


@pytest.fixture(scope="module")
def evaluate(build_tiny_config) -> Callable:
    """`evaluate(pictures, batch size, mesh, hint counts) -> (report, rows)` of the model above."""
    networks = dataclasses.replace(build_networks(build_tiny_config()), generate=repeat_hints)

    def evaluate(pictures: list, batch_size: int, mesh: Mesh, counts: tuple = (0, 20)) -> tuple[dict, list]:
        config = build_tiny_config()
        config.eval.batch_size = batch_size
        prior = jnp.full(313, 1 / 313)
        return make_evaluate(networks, config, mesh)(None, prior, pictures, counts)

    return evaluate


@pytest.fixture(scope="module")
def result(evaluate, pictures) -> tuple[dict, list]:
    return evaluate(pictures, 8, build_mesh(1), (20, 0, 20))


def color(luminance: np.ndarray, ab: np.ndarray) -> np.ndarray:
    lab = np.concatenate([luminance, np.broadcast_to(ab, (*luminance.shape[:2], 2))], -1)
    return np.rint(lab2rgb(lab) * 255)


def measure(picture: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """scikit-image's and NumPy's figures of 8-bit pictures."""
    red, green, blue = np.moveaxis(picture, -1, 0)
    first, second = red - green, (red + green) / 2 - blue
    return {
        "psnr": 10 * np.log10(255**2 / ((picture - truth) ** 2).mean()),
        "ssim": structural_similarity(
            picture / 255,
            truth / 255,
            channel_axis=-1,
            data_range=1,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        ),
        "ciede2000": deltaE_ciede2000(rgb2lab(picture / 255), rgb2lab(truth / 255)).mean(),
        "colorfulness": colorfulness(first, second),
        "colorfulness_unsigned": colorfulness(np.abs(first), np.abs(second)),
    }


def colorfulness(first: np.ndarray, second: np.ndarray) -> float:
    return np.hypot(first.std(), second.std()) + 0.3 * np.hypot(first.mean(), second.mean())


def assert_measured(summary: dict[str, float], expected: list[dict[str, float]]) -> None:
    # A rounding that falls to the other side is one level in one channel of one pixel
    tolerances = {
        "psnr": 0.01,
        "ssim": 5e-4,
        "ciede2000": 0.01,
        "colorfulness": 0.02,
        "colorfulness_unsigned": 0.02,
    }
    for name, tolerance in tolerances.items():
        assert summary[name] == pytest.approx(np.mean([row[name] for row in expected]), abs=tolerance), name
    psnr = [row["psnr"] for row in expected]
    assert summary["psnr_sem"] == pytest.approx(np.std(psnr) / np.sqrt(len(psnr)), abs=0.01)


def test_the_anchors(result, pictures):
    gray, tint = [], []
    for _, picture in pictures:
        truth, lab = picture.astype(float), rgb2lab(picture / 255)
        gray.append(measure(color(lab[..., :1], np.zeros(2)), truth))
        tint.append(measure(color(lab[..., :1], lab[..., 1:].mean((0, 1))), truth))
    assert_measured(result[0]["systems"][GRAY], gray)
    assert_measured(result[0]["systems"][TINT], tint)
    colorful = np.mean([measure(p.astype(float), p + 1.0)["colorfulness"] for _, p in pictures])
    assert result[0]["systems"][TRUTH]["colorfulness"] == pytest.approx(colorful, abs=0.02)
    assert result[0]["systems"][TRUTH]["psnr"] == 50  # the cap
    true = [measure(p.astype(float), p + 1.0)["colorfulness_unsigned"] for _, p in pictures]
    apart = np.array([row["colorfulness_unsigned"] for row in tint]) - true
    found = result[0]["systems"][TINT]
    assert found["delta_cf"] == pytest.approx(abs(apart.mean()), abs=0.03)
    assert found["delta_cf_pictures"] == pytest.approx(np.abs(apart).mean(), abs=0.03)


def test_hints_by_the_protocol(result, pictures):
    expected = []
    for name, picture in pictures:
        lab = rgb2lab(picture / 255)
        hint_ab, mask = protocol_hints(lab[..., 1:].astype(np.float32), name, 20)
        assert mask.any()
        expected.append(measure(color(lab[..., :1], hint_ab), picture.astype(float)))
    assert_measured(result[0]["systems"]["model@20"], expected)
    alone = result[0]["systems"]["model@0"]
    assert {name: alone[name] for name in result[0]["systems"][GRAY]} == pytest.approx(
        result[0]["systems"][GRAY], abs=1e-5
    )


def test_likelihoods_of_a_uniform_distribution(result):
    """The loss's weights are 1 for a uniform prior, so nothing is taken off: every bin has a probability of 1/313."""
    for system in ("model@0", "model@20"):
        assert result[0]["systems"][system]["log_likelihood"] == pytest.approx(-np.log(313), abs=1e-4)
        assert result[0]["systems"][system]["log_likelihood_balanced"] == pytest.approx(
            -np.log(313), abs=1e-4
        )
    assert "log_likelihood" not in result[0]["systems"][GRAY]
    assert f"| log-likelihood, nats | {-np.log(313):.3f} |" in hints_table(result[0])


def test_the_report_names_what_it_measured(result, pictures):
    report, _ = result
    assert report["pictures"] == 3
    assert report["image_size"] == SIZE
    assert "signed" in report["colorfulness_variant"]
    for values in report["per_picture_psnr"].values():
        assert list(values) == [name for name, _ in pictures]
    assert list(report["per_picture_psnr"]) == [GRAY, TINT, "model@0", "model@20"]
    mean = np.mean(list(report["per_picture_psnr"]["model@20"].values()))
    assert mean == pytest.approx(report["systems"]["model@20"]["psnr"], abs=1e-3)
    assert json.loads(json.dumps(report)) == report


@pytest.mark.parametrize("batch_size", [1, 2])
def test_neither_batches_nor_devices_change_it(evaluate, result, pictures, batch_size):
    report, rows = evaluate(pictures, batch_size, build_mesh(1, jax.devices()[:1]))
    for system, values in result[0]["systems"].items():
        assert report["systems"][system] == pytest.approx(values, rel=1e-4, abs=1e-3)
    for ours, theirs in zip(rows, result[1], strict=True):
        assert np.abs(ours.astype(int) - theirs).max() <= 1


def test_the_grid_has_input_prediction_truth_and_confidence(result, pictures):
    _, rows = result
    assert len(rows) == 2  # eval.grid_pictures: the first and the last
    for row, (_, picture) in zip(rows, (pictures[0], pictures[-1]), strict=True):
        assert row.shape == (SIZE, 4 * SIZE, 3)
        gray, prediction, truth, confidence = np.split(row, 4, axis=1)
        assert np.ptp(gray.astype(int), axis=-1).max() <= 1
        assert np.abs(gray.astype(int) - prediction).max() <= 1  # without hints it is the gray picture
        np.testing.assert_array_equal(truth, picture)
        assert np.ptp(confidence) == 0  # a flat distribution is as unsure everywhere


def test_confidence_is_white_where_sure():
    confidence = np.zeros((4, 4), np.float32)
    confidence[0, 3] = 1
    row = grid_row(*[np.zeros((SIZE, SIZE, 3), np.float32)] * 3, confidence)
    panel = row[:, 3 * SIZE :, 0]
    assert (panel[:8, 24:] == 255).all()
    assert panel.sum() == 255 * 64


@pytest.fixture
def report(result) -> dict:
    return result[0]


def test_the_report_is_written(report, result, tmp_path):
    path = save_report(tmp_path / "new" / "folder", report, result[1])
    assert np.asarray(Image.open(path)).shape == (HEIGHT + 2 * SIZE, 4 * SIZE, 3)
    assert json.loads((path.parent / "report.json").read_text()) == report
    assert quality_table(report) in (path.parent / "report.md").read_text()


def test_a_checkpoint_alone_is_enough(tiny_run, tmp_path, capsys):
    evaluate_checkpoint(str(tiny_run), None, str(tmp_path))
    ours, theirs = (folder / "report.json" for folder in (tmp_path, tiny_run / "evaluation"))
    assert ours.read_text() == theirs.read_text()
    said = capsys.readouterr().out
    assert f"{tiny_run} at step 6" in said
    assert align_tables(quality_table(json.loads(ours.read_text()))) in said
    assert "guesses" in said
    assert str(tmp_path / "grid.png") in said


def test_a_config_changes_what_is_evaluated(tiny_run, tiny_config, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(tiny_run, run)
    tiny_config.data.eval_limit = 2
    tiny_config.eval.hint_counts = (3,)
    tiny_config.eval.grid_pictures = 1
    tiny_config.model.variant = "L"  # the model is the checkpoint's
    evaluate_checkpoint(f"{run}/checkpoints/4", tiny_config, None)
    report = json.loads((run / "evaluation" / "report.json").read_text())
    assert report["pictures"] == 2
    assert list(report["systems"]) == [GRAY, TINT, TRUTH, "model@3"]
    assert Image.open(run / "evaluation" / "grid.png").height == HEIGHT + tiny_config.eval.image_size


def test_the_classifier_and_the_vivid_colours(build_tiny_config, pictures, classifier_file):
    """Against the same network and decode, each picture looked at by hand."""

    def half_sure(params: None, luma: jax.Array, hints: jax.Array) -> Prediction:
        chroma = jnp.broadcast_to(luma * jnp.array([0.3, -0.2]), (*luma.shape[:3], 2))
        logits = jnp.zeros((*luma.shape[:1], 4, 4, 313)).at[..., 100].set(5.0)
        return Prediction(chroma, logits)

    config = build_tiny_config()
    config.eval.classifier, config.eval.vivid = str(classifier_file), True
    networks = dataclasses.replace(build_networks(config), generate=half_sure)
    prior = jnp.full(313, 1 / 313)
    report, _ = make_evaluate(networks, config, build_mesh(1, jax.devices()[:1]))(
        None, prior, pictures, (0, 20)
    )
    truth = np.stack([picture for _, picture in pictures])
    drawn = {"model@0": [], VIVID: []}
    for picture in truth:
        luminance = rgb2lab(picture / 255)[..., :1]
        given = half_sure(None, jnp.asarray(luminance[None] / 50 - 1, jnp.float32), None)
        drawn["model@0"].append(color(luminance, np.asarray(given.chroma[0]) * 110))
        drawn[VIVID].append(color(luminance, np.asarray(vivid_ab(given, jnp.zeros(313)))[0]))
    params, see = build_classifier(classifier_file)
    see = functools.partial(jax.jit(see), params)
    true = see(np.float32(truth / 255))
    for name, rgb in drawn.items():
        found, seen = report["systems"][name], see(np.float32(np.stack(rgb) / 255))
        expected = [measure(x, y.astype(float)) for x, y in zip(rgb, truth, strict=True)]
        assert_measured(found, expected)
        assert found["top1"] == pytest.approx(np.mean(seen.top1 == true.top1))
        assert found["fed"] > 0.01 * np.var(true.features, 0).sum()
    assert report["systems"][VIVID]["colorfulness"] > 1.1 * report["systems"]["model@0"]["colorfulness"]
    assert report["systems"][TRUTH]["top1"] == 1
    assert [name for name in report["systems"] if name.startswith("model")] == ["model@0", VIVID, "model@20"]
    assert f"| {VIVID} |" in quality_table(report)


def test_vivid_colours_of_a_model_without_a_distribution(build_tiny_config, pictures):
    config = build_tiny_config()
    config.eval.vivid, config.bins.weight = True, 0.0
    networks = dataclasses.replace(
        build_networks(config), generate=lambda params, luma, hints: Prediction(hints[..., :2])
    )
    with pytest.raises(ValueError, match=r"config\.eval\.vivid needs a model with a distribution"):
        make_evaluate(networks, config, build_mesh(1))(None, None, pictures, (0,))


def test_released_weights(tiny_weights, tiny_config, tmp_path, capsys):
    path = tmp_path / "w.safetensors"
    save_weights(tiny_weights, path)
    tiny_config.model.variant = "L"  # the model is the file's
    tiny_config.eval.hint_counts = (0, 3)
    tiny_config.eval.protocol, tiny_config.eval.protocol_pictures = "COCO-Stuff val5k", 5000
    evaluate_checkpoint(str(path), tiny_config, str(tmp_path / "out"))
    said = capsys.readouterr().out
    assert "\ntiny\n" in said
    assert re.search(r"\| COCO-Stuff val5k +\| +FID +\|", said)
    assert "5000 pictures and these are 3" in said
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["systems"]["model@0"]["psnr"] != report["systems"][GRAY]["psnr"]
    assert align_tables((tmp_path / "out" / "report.md").read_text().strip()) in said


def test_weights_do_not_say_what_to_measure_them_on():
    with pytest.raises(ValueError, match=r"add --config, as --config=configs/protocols\.py:coco_stuff"):
        evaluate_checkpoint("pretrained", None, None)
