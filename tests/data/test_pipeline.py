"""Same files, same batches: whatever reads them, however often, on however many processes, from wherever resumed."""

import itertools
import threading

import numpy as np
import pytest
from PIL import Image

from hybridvit.data.decode import decode_image
from hybridvit.data.pack import pack_folder
from hybridvit.data.pipeline import make_eval_pictures, make_train_dataset, make_train_iterator
from hybridvit.data.sources import open_folder
from hybridvit.data.transforms import to_gray


def assert_same(batches, others):
    for batch, other in zip(batches, others, strict=True):
        assert batch.keys() == other.keys()
        for name in batch:
            np.testing.assert_array_equal(batch[name], other[name])


def batches_of(dataset, count=5, start=0):
    return [dataset[step] for step in range(start, start + count)]


def test_shapes(folder_config):
    batch = make_train_dataset(folder_config, 0, cache_dir="")[0]
    assert {name: (array.shape, array.dtype.name) for name, array in batch.items()} == {
        "labeled": ((4, 24, 24, 3), "uint8"),
        "unlabeled": ((8, 24, 24, 1), "uint8"),
    }
    folder_config.unlabeled_batch_size = 0
    assert list(make_train_dataset(folder_config, 0, cache_dir="")[0]) == ["labeled"]


def test_batches_of_one(folder_config):
    four = np.concatenate(
        [batch["labeled"] for batch in batches_of(make_train_dataset(folder_config, 0, cache_dir=""), 2)]
    )
    folder_config.update(batch_size=1, unlabeled_batch_size=1)
    dataset = make_train_dataset(folder_config, 0, cache_dir="")
    iterator = make_train_iterator(dataset, folder_config, start_step=3)
    assert_same(batches_of(dataset, 5, start=3), list(itertools.islice(iterator, 5)))
    iterator.close()
    np.testing.assert_array_equal(np.concatenate([b["labeled"] for b in batches_of(dataset, 8)]), four)


def test_two_builds_agree_and_two_seeds_do_not(folder_config):
    first = batches_of(make_train_dataset(folder_config, 0, cache_dir=""))
    assert_same(first, batches_of(make_train_dataset(folder_config, 0, cache_dir="")))
    other = make_train_dataset(folder_config, 1, cache_dir="")[0]
    assert (other["labeled"] != first[0]["labeled"]).any()
    assert (first[0]["labeled"] != first[1]["labeled"]).any()


@pytest.mark.parametrize(("threads", "workers", "prefetch"), [(0, 0, 4), (2, 0, 1), (3, 0, 5), (1, 1, 2)])
def test_readers_do_not_matter(folder_config, threads, workers, prefetch):
    dataset = make_train_dataset(folder_config, 0, cache_dir="")
    expected = batches_of(dataset, 8)
    folder_config.update(num_threads=threads, num_workers=workers, prefetch=prefetch)
    for start in (0, 3):
        iterator = make_train_iterator(dataset, folder_config, start_step=start)
        try:
            assert_same(expected[start:], list(itertools.islice(iterator, 8 - start)))
        finally:
            iterator.close()
        if workers:
            break  # starting processes is slow


def test_batches_are_put_in_their_order_and_ahead_by_another_thread(folder_config):
    dataset = make_train_dataset(folder_config, 0, cache_dir="")
    put_by, ahead = [], threading.Event()

    def put(batch):
        put_by.append(threading.current_thread())
        if len(put_by) == 2:  # the first has been handed out at most
            ahead.set()
        return batch | {"put": np.ones(1)}

    iterator = make_train_iterator(dataset, folder_config, 2, put)
    found = [next(iterator)]
    assert ahead.wait(60)
    found += itertools.islice(iterator, 3)
    iterator.close()
    assert_same(found, [batch | {"put": np.ones(1)} for batch in batches_of(dataset, 4, start=2)])
    assert threading.current_thread() not in put_by


def test_far_steps_are_reached_at_once(folder_config):
    dataset = make_train_dataset(folder_config, 0, cache_dir="")
    iterator = make_train_iterator(dataset, folder_config, start_step=10**6)
    assert_same([dataset[10**6]], [next(iterator)])
    iterator.close()


@pytest.mark.parametrize("count", [2, 4])
def test_processes_share_the_same_global_batch(folder_config, count):
    whole = batches_of(make_train_dataset(folder_config, 0, cache_dir=""))
    parts = [batches_of(make_train_dataset(folder_config, 0, i, count, cache_dir="")) for i in range(count)]
    joined = [
        {name: np.concatenate([part[name] for part in step]) for name in step[0]}
        for step in zip(*parts, strict=True)
    ]
    assert_same(whole, joined)


def flat_pictures(folder, count, start=0):
    """Pictures of one colour each, told apart by their crops; the colours are far from each other in gray too."""
    folder.mkdir(parents=True)
    for i in range(start, start + count):
        Image.new("RGB", (30, 30), (20 * i, 255 - 20 * i, 128)).save(folder / f"{i}.png")


def test_an_epoch_shows_each_picture_once(config, tmp_path):
    flat_pictures(tmp_path / "flat", 12)
    config.update(kind="folder", color_dir=str(tmp_path / "flat"), eval_fraction=0.0)
    dataset = make_train_dataset(config, 0, cache_dir="")
    epochs = []
    for epoch in range(3):
        rows = np.concatenate([dataset[step]["labeled"] for step in range(3 * epoch, 3 * epoch + 3)])
        epochs.append([int(row[0, 0, 0]) // 20 for row in rows])
    assert [sorted(epoch) for epoch in epochs] == [list(range(12))] * 3
    assert epochs[0] != epochs[1]


def test_crops_and_flips_vary(folder_config, color_dir, photo):
    for file in list(color_dir.rglob("*.png"))[1:]:
        file.unlink()
    rows = np.concatenate(
        [b["labeled"] for b in batches_of(make_train_dataset(folder_config, 0, cache_dir=""), 4)]
    )
    assert len({row.tobytes() for row in rows}) == 16


def test_no_colour_leaks_into_the_unlabeled(config, tmp_path):
    flat_pictures(tmp_path / "flat", 12)
    config.update(kind="folder", color_dir=str(tmp_path / "flat"), eval_fraction=0.0)
    config.update(labeled_fraction=0.25, labeled_as_unlabeled=False)
    dataset = make_train_dataset(config, 0, cache_dir="")
    labeled = {tuple(row[0, 0]) for step in range(6) for row in dataset[step]["labeled"]}
    gray = {int(row[0, 0, 0]) for step in range(6) for row in dataset[step]["unlabeled"]}
    assert len(labeled) == 3
    colors = {(20 * i, 255 - 20 * i, 128) for i in range(12)} - labeled
    expected = to_gray(np.array(sorted(colors), np.uint8)[None])
    assert gray == set(expected.ravel().tolist())
    for row in dataset[0]["unlabeled"]:
        assert row.shape[-1] == 1


def test_unreadable_pictures_do_not_stop_a_run(folder_config, color_dir):
    dataset = make_train_dataset(folder_config, 0, cache_dir="")
    for i in (1, 4, 5):
        (color_dir / f"p0{i}.png").write_bytes(b"\x89PNG damaged")
    batches = batches_of(dataset)
    folder_config.num_threads = 3
    iterator = make_train_iterator(dataset, folder_config)
    assert_same(batches, list(itertools.islice(iterator, 5)))
    iterator.close()


def test_small_pictures_are_enlarged(folder_config):
    folder_config.image_size = 200
    assert make_train_dataset(folder_config, 0, cache_dir="")[0]["labeled"].shape == (4, 200, 200, 3)


def test_errors(folder_config):
    folder_config.batch_size = 30
    message = r"^config.data.batch_size 30 does not divide over 4 processes: set it to 28 or 32$"
    with pytest.raises(ValueError, match=message):
        make_train_dataset(folder_config, 0, 0, 4)
    folder_config.update(batch_size=4, unlabeled_batch_size=2)
    with pytest.raises(
        ValueError, match=r"unlabeled_batch_size 2 does not divide over 4 processes: set it to 4$"
    ):
        make_train_dataset(folder_config, 0, 0, 4)
    folder_config.crop_scale = (0.5, 2.0)
    with pytest.raises(ValueError, match=r"^config.data.crop_scale 0.5, 2.0 is no range"):
        make_train_dataset(folder_config, 0)


def test_eval_pictures_of_a_folder(folder_config, color_dir, photo, tmp_path):
    held = tmp_path / "held"
    (held / "deep").mkdir(parents=True)
    photo(40, 64, 48).save(held / "deep" / "b.png")
    photo(41).convert("L").save(held / "gray.png")
    photo(42, 32, 32).save(held / "a.png")
    (held / "junk.png").write_text("junk")
    folder_config.eval_dir = str(held)
    pictures = make_eval_pictures(folder_config, 32, cache_dir="")
    assert len(pictures) == 2
    assert pictures.names == ["held/a.png", "held/deep/b.png"] == [name for name, _ in pictures]
    np.testing.assert_array_equal(pictures[0][1], decode_image(held / "a.png"))
    resized = photo(40, 64, 48).resize((43, 32), Image.Resampling.BICUBIC).crop((5, 0, 37, 32))
    np.testing.assert_array_equal(pictures[1][1], np.asarray(resized))


def test_eval_pictures_are_not_trained_on(folder_config, color_dir):
    folder_config.update(eval_fraction=0.3, crop_scale=(1.0, 1.0), image_size=40)
    held_out = make_eval_pictures(folder_config, 40, cache_dir="")
    assert 0 < len(held_out) < 12
    dataset = make_train_dataset(folder_config, 0, cache_dir="")
    trained = np.concatenate([dataset[step]["labeled"] for step in range(12)]).mean((1, 2))
    for _, picture in held_out:
        assert np.abs(trained - picture.mean((0, 1))).max(-1).min() > 1


def test_bundled_runs_without_any_file(config):
    batch = make_train_dataset(config, 0)[0]
    assert batch["labeled"].std() > 20
    pictures = make_eval_pictures(config, 40)
    assert len(pictures) == 11
    assert pictures[1][0] == "bundled/astronaut/1"
    assert all(picture.shape == (40, 40, 3) for _, picture in pictures)


def test_tfds(config, prepare_tfds, tmp_path):
    config.update(kind="tfds", tfds_name="tiny_photos", tfds_dir=str(prepare_tfds(tmp_path)), batch_size=10)
    dataset = make_train_dataset(config, 0, cache_dir="")
    labeled = sorted(int(row[0, 0, 0]) // 20 for row in dataset[0]["labeled"])
    assert set(labeled) == {0, 1, 2, 4, 5, 6, 8, 9}  # others stand in for the gray and the unreadable one
    assert len(labeled) == 10
    rows = np.concatenate([dataset[step]["unlabeled"] for step in range(5)])
    assert len({int(row[0, 0, 0]) for row in rows}) == 9  # the gray one is among them
    pictures = make_eval_pictures(config, 20, cache_dir="")
    assert pictures.names == [f"tiny_photos/test/{i}" for i in range(3)]


def test_array_records_made_by_pack(config, color_dir, photo, tmp_path):
    photo(50).convert("L").save(color_dir / "scan.png")
    pack_folder(open_folder(str(color_dir), "--input"), str(tmp_path / "packed"), size=32, shards=2)
    config.update(kind="array_record", color_records=str(tmp_path / "packed-color-*"))
    config.update(gray_records=str(tmp_path / "packed-gray-*"), eval_fraction=0.2)
    dataset = make_train_dataset(config, 0, cache_dir="")
    assert_same(batches_of(dataset), batches_of(make_train_dataset(config, 0, cache_dir="")))
    pictures = make_eval_pictures(config, 32, cache_dir="")
    assert 0 < len(pictures) < 12
    for name, picture in pictures:
        original = Image.open(color_dir.parent / name).resize((38, 32), Image.Resampling.BICUBIC)
        expected = np.asarray(original.crop((3, 0, 35, 32)), float)
        assert np.abs(picture - expected).mean() < 4  # JPEG
