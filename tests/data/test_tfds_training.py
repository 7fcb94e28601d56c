"""A dataset of TFDS, from its files to a trained checkpoint: configs/hsv_cifar100.py on a tiny one."""

import json

import numpy as np

from configs import hsv_cifar100
from hybridvit.train import train

SMALL = {
    "data.tfds_name": "tiny_photos",
    "data.tfds_split": "train",
    "data.tfds_eval_split": "test",
    "data.image_size": 16,
    "data.batch_size": 8,
    "model.variant": "test",
    "optim.learning_rate": 1e-2,
    "optim.warmup_steps": 0,
    "train.steps": 20,
    "train.log_every": 1,
    "train.eval_every": 20,
    "train.checkpoint_every": 20,
    "eval.image_size": 16,
    "eval.batch_size": 8,
}


def test_cifar_recipe_on_a_tiny_dataset(prepare_tfds, tmp_path):
    config = hsv_cifar100.get_config("hsv")
    config.update_from_flattened_dict(SMALL | {"data.tfds_dir": str(prepare_tfds(tmp_path / "tfds"))})
    train(config, tmp_path / "run")
    lines = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    losses = [line["loss/chroma"] for line in lines if "loss/chroma" in line]
    assert len(losses) == 20
    assert np.mean(losses[-5:]) < 0.6 * np.mean(losses[:5])
    (measured,) = (line for line in lines if "eval/psnr" in line)
    assert measured["step"] == 20
