"""Side-by-side pairs: both halves are treated alike, and a folder that is not what it should be is one clear line."""

import logging

import numpy as np
import pytest
from PIL import Image

from hybridvit.data.pairs import open_pairs
from hybridvit.data.pipeline import make_eval_pictures, make_train_dataset
from hybridvit.data.sources import open_folder
from hybridvit.data.splits import build_training_streams
from hybridvit.data.transforms import random_square


@pytest.fixture
def save_pairs(photo, tmp_path):
    """`save_pairs(order, count)`: a folder of pairs, the gray half being the inverted red, and the pictures."""

    def save(order="gray-color", count=6, folder="pairs"):
        (tmp_path / folder).mkdir()
        pictures = []
        for i in range(count):
            color = photo(i, 40, 40)
            gray = Image.eval(color.getchannel(0), lambda value: 255 - value)
            pair = Image.new("RGB", (80, 40))
            first, second = (gray, color) if order == "gray-color" else (color, gray)
            pair.paste(first.convert("RGB"), (0, 0))
            pair.paste(second.convert("RGB"), (40, 0))
            pair.save(tmp_path / folder / f"{i}.png")
            pictures.append(np.asarray(color))
        return tmp_path / folder, pictures

    return save


@pytest.fixture
def pairs_config(config):
    config.update(kind="pairs", unlabeled_batch_size=0, eval_fraction=0.2)
    return config


@pytest.mark.parametrize("order", ["gray-color", "color-gray"])
def test_crops_and_flips_are_the_same_for_both_halves(save_pairs, pairs_config, order):
    pairs_config.color_dir = str(save_pairs(order)[0])
    pairs_config.pairs_order = order
    dataset = make_train_dataset(pairs_config, 0, cache_dir="")
    seen = set()
    for step in range(6):
        batch = dataset[step]["labeled"]
        assert (batch.shape, batch.dtype) == ((4, 24, 24, 4), np.uint8)
        # Resampling is linear, up to rounding and to clipping at black and white
        np.testing.assert_allclose(batch[..., 3], 255.0 - batch[..., 0], atol=1)
        seen |= {row.tobytes() for row in batch}
    assert len(seen) == 24


def test_a_pair_is_cropped_as_its_colours_alone(save_pairs):
    folder, pictures = save_pairs()
    pairs = open_pairs(open_folder(str(folder), "--flag"), "gray-color", 4.0, "--flag")
    draws = np.array([0.3, 0.7, 0.2, 0.9])
    both = random_square(pairs.read(2, 999), draws, 24, (0.5, 1.0))
    alone = random_square(Image.fromarray(pictures[2]), draws, 24, (0.5, 1.0))
    np.testing.assert_array_equal(both[..., :3], alone)
    assert pairs.name(2) == "pairs/2.png"


def test_evaluation_pictures_have_both_halves_and_are_not_trained_on(save_pairs, pairs_config):
    folder, pictures = save_pairs()
    pairs_config.color_dir = str(folder)
    held_out = make_eval_pictures(pairs_config, 40, cache_dir="")
    assert 0 < len(held_out) < 6
    for name, picture in held_out:
        truth = pictures[int(name[-5])]
        np.testing.assert_array_equal(picture, np.concatenate([truth, 255 - truth[..., :1]], -1))
    labeled, unlabeled = build_training_streams(pairs_config, 0, "")
    assert len(labeled) == 6 - len(held_out)
    assert unlabeled is None
    pairs_config.eval_dir = str(folder)
    assert len(make_eval_pictures(pairs_config, 40, cache_dir="")) == 6


def test_the_unlabeled_are_the_given_gray_pictures(save_pairs, pairs_config):
    folder, pictures = save_pairs()
    pairs_config.update(color_dir=str(folder), unlabeled_batch_size=4, crop_scale=(1.0, 1.0), image_size=40)
    gray = make_train_dataset(pairs_config, 0, cache_dir="")[0]["unlabeled"]
    given = [255 - picture[..., :1] for picture in pictures]
    given = {one.tobytes() for picture in given for one in (picture, np.ascontiguousarray(picture[:, ::-1]))}
    assert all(row.tobytes() in given for row in gray)


def test_wrong_folders_are_one_line(save_pairs, pairs_config, photo, tmp_path):
    def fails(message, **fields):
        pairs_config.update(fields)
        with pytest.raises(ValueError, match=message) as caught:
            build_training_streams(pairs_config, 0, "")
        assert "\n" not in str(caught.value)

    fails("--config.data.color_dir is empty", color_dir="")
    folder = str(save_pairs()[0])
    fails(
        "--config.data.pairs_order 'both' is none of gray-color, color-gray",
        color_dir=folder,
        pairs_order="both",
    )
    fails(
        r"^--config.data.color_dir: the halves of pairs/0.png and others look swapped: "
        r"set --config.data.pairs_order=gray-color$",
        pairs_order="color-gray",
    )
    (tmp_path / "single").mkdir()
    photo(0, 50, 40).save(tmp_path / "single" / "a.png")
    fails(
        r"^--config.data.color_dir: single/a.png: 50 x 40 px is not twice as wide as high",
        color_dir=str(tmp_path / "single"),
        pairs_order="gray-color",
    )


def test_a_single_wrong_picture_is_passed_over(save_pairs, pairs_config, photo, caplog):
    folder, _ = save_pairs(count=4)
    photo(9, 50, 40).save(folder / "4.png")  # no pair
    swapped = Image.open(folder / "3.png").transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    swapped.save(folder / "5.png")
    pairs_config.update(color_dir=str(folder), eval_fraction=0.0)
    with caplog.at_level(logging.WARNING, "absl"):
        labeled, _ = build_training_streams(pairs_config, 0, "")
        pixels = [np.asarray(labeled[i]) for i in range(6)]
    assert any("4.png (50 x 40 px is not twice as wide" in message for message in caplog.messages)
    for index in (4, 5):
        np.testing.assert_array_equal(pixels[index], pixels[0])  # the next good one stands in
