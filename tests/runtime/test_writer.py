import io
import json

import numpy as np
import pytest
from PIL import Image

from hybridvit.runtime.writer import Writer


def read_lines(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def read_board(folder):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    events = accumulator.EventAccumulator(
        str(folder / "tensorboard"), size_guidance={"images": 0, "scalars": 0}
    )
    return events.Reload()


def test_scalars_pictures_and_texts_read_back(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)
    with Writer(tmp_path / "run") as writer:
        writer.text("config", "learning_rate: 0.1")
        writer.scalars(20, {"loss": np.float32(0.5), "psnr": 21})
        writer.scalars(40, {"loss": float("nan")})
        writer.images(40, "grid", picture)
    assert read_lines(tmp_path / "run") == [
        {"step": 20, "loss": 0.5, "psnr": 21.0},
        {"step": 40, "loss": None},
    ]
    board = read_board(tmp_path / "run")
    assert [(event.step, event.value) for event in board.Scalars("psnr")] == [(20, 21.0)]
    assert [event.step for event in board.Scalars("loss")] == [20, 40]
    (image,) = board.Images("grid")
    assert image.step == 40
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(image.encoded_image_string))), picture)
    (text,) = board.Tensors("config/text_summary")
    assert text.tensor_proto.string_val[0] == b"learning_rate: 0.1"


def test_lines_are_on_disk_at_once(tmp_path):
    writer = Writer(tmp_path)
    writer.scalars(1, {"loss": 3.0})
    assert read_lines(tmp_path) == [{"step": 1, "loss": 3.0}]
    writer.close()


def test_resumed_run_writes_no_step_twice(tmp_path):
    with Writer(tmp_path) as writer:
        for step in (10, 20, 30, 40):
            writer.scalars(step, {"loss": 1.0})
            writer.images(step, "grid", np.zeros((4, 4, 3), np.uint8))
    with open(tmp_path / "metrics.jsonl", "a") as lines:
        lines.write('{"step": 15, "lo')  # killed here
    with Writer(tmp_path, start_step=20) as writer:
        for step in (30, 40, 50):
            writer.scalars(step, {"loss": 2.0})
            writer.images(step, "grid", np.zeros((4, 4, 3), np.uint8))
    expected = [(10, 1.0), (20, 1.0), (30, 2.0), (40, 2.0), (50, 2.0)]
    assert [(line["step"], line["loss"]) for line in read_lines(tmp_path)] == expected
    board = read_board(tmp_path)
    assert [(event.step, event.value) for event in board.Scalars("loss")] == expected
    assert [event.step for event in board.Images("grid")] == [10, 20, 30, 40, 50]


def test_inactive_writer_leaves_no_trace(tmp_path):
    with Writer(tmp_path / "run", active=False) as writer:
        writer.scalars(1, {"loss": 1.0})
        writer.images(1, "grid", np.zeros((4, 4, 3), np.uint8))
        writer.text("config", "x")
    assert list(tmp_path.iterdir()) == []
