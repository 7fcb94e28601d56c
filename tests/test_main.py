"""A user's mistake ends in one line on stderr and exit code 2."""

import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PIL import Image

ROOT = pathlib.Path(__file__).parent.parent
CONFIG = "--config=configs/ssl_vit.py"
# Starting Python with JAX takes seconds, a fork of a process that has imported everything a fraction of one.
FORKING = """
import gc, json, os, sys
from hybridvit import evaluate, main, train
gc.freeze()
for line in sys.stdin:
    request = json.loads(line)
    if not os.fork():
        for number, path in enumerate((request["stdout"], request["stderr"]), start=1):
            os.dup2(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC), number)
        sys.argv = ["main.py", *request["flags"]]
        try:
            main.run()
        except SystemExit as end:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(end.code or 0)  # to take the interpreter down would take as long as all else
    print(os.waitstatus_to_exitcode(os.wait()[1]), flush=True)
"""


@pytest.fixture(scope="module")
def forking() -> Iterator[subprocess.Popen]:
    environment = os.environ | {"JAX_PLATFORMS": "cpu", "JAX_NUM_CPU_DEVICES": "2"}
    command = [sys.executable, "-c", FORKING]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        yield process
        process.stdin.close()


@pytest.fixture
def main(forking: subprocess.Popen, tmp_path: pathlib.Path) -> Callable[..., tuple[int, str]]:
    """`main(*flags) -> (exit code, stderr)` of `python -m hybridvit.main`, with two devices."""

    def main(*flags: str) -> tuple[int, str]:
        outputs = {name: str(tmp_path / name) for name in ("stdout", "stderr")}
        request = {"flags": [*flags, f"--workdir={tmp_path / 'run'}"], **outputs}
        forking.stdin.write(json.dumps(request) + "\n")
        forking.stdin.flush()
        return int(forking.stdout.readline()), (tmp_path / "stderr").read_text()

    return main


def check(result: tuple[int, str], *parts: str) -> None:
    code, stderr = result
    assert code == 2, stderr
    assert stderr.startswith("hybridvit: "), stderr
    assert stderr.count("\n") == 1, stderr
    assert len(stderr) < 400, stderr
    for part in parts:
        assert part in stderr


@pytest.mark.parametrize(
    ("flag", "parts"),
    [
        ("--config.model.varient=S", ["--config.model.varient", "did you mean 'variant'"]),
        ("--config.modle.variant=S", ["--config.modle.variant", "did you mean 'model'"]),
        ("--config.trian.steps=3", ["--config.trian.steps", "did you mean 'train'"]),
        ("--config.xyzzy=3", ["--config.xyzzy", "no field 'xyzzy'", "configs/base.py"]),
        ("--config.train.steps=many", ["train.steps", "many"]),
        ("--config.model=Ti", ["model"]),
        (
            "--config=configs/ssl_vit.py:bundeld",
            ["'bundeld'", "bundled, folder, few, tfds, cifar10, imagenet"],
        ),
        ("--config=configs/nothing.py", ["configs/nothing.py"]),
        ("--wrokdir=x", ["wrokdir", "workdir"]),
        ("--mode=evaluate", ["mode", "evaluate"]),
        ("surplus", ["'surplus'"]),
        ("--num_processes=2", ["--coordinator"]),
        ("--config.train.steps=0", ["config.train.steps=0", "1 or more"]),
        ("--config.train.steps=-5", ["config.train.steps=-5"]),
        ("--config.train.log_every=0", ["config.train.log_every=0"]),
        ("--config.train.keep_last=0", ["config.train.keep_last=0"]),
        ("--config.seed=-1", ["config.seed=-1"]),
        ("--config.optim.accumulate=0", ["config.optim.accumulate=0"]),
        ("--config.optim.warmup_steps=90000", ["config.optim.warmup_steps=90000", "config.train.steps="]),
        ("--config.optim.ema_decay=1.5", ["config.optim.ema_decay=1.5", "within 0 and 1"]),
        ("--config.hints.cell_sizes=0,2", ["config.hints.cell_sizes=(0, 2)"]),
        ("--config.eval.hint_counts=-1,2", ["config.eval.hint_counts=(-1, 2)"]),
        ("--config.consistency.views=3", ["config.consistency.views=3", "1, 2"]),
        ("--config.consistency.radius=0", ["config.consistency.radius=0", "more than 0"]),
        ("--config.adversarial.loss=wgan", ["config.adversarial.loss=wgan", "hinge, least_squares, vanilla"]),
        (
            "--config.adversarial.norm=layer",
            ["config.adversarial.norm=layer", "spectral, batch, instance, none"],
        ),
        ("--config.optim.schedule=cosin", ["config.optim.schedule=cosin", "cosine, constant, linear, steps"]),
        ("--config.optim.step_shares=0.5,0.4", ["config.optim.step_shares=(0.5, 0.4)", "must rise"]),
        ("--config.hints.min_count=500", ["config.hints.min_count=500", "config.hints.max_count=128"]),
        ("--config.growing.first_side=20", ["config.growing.first_side=20", "16 or 32"]),
        ("--config.growing.first_side=64", ["config.growing.first_side=64", "64 px do not grow to 96 px"]),
        (
            "--config.growing.first_side=48",
            ["config.growing.steps=1000", "config.train.steps=600", "lower it"],
        ),
        ("--config.cycle.weight=10", ["config.cycle.weight=10", "config.color.space=rgb"]),
        ("--config.model.dtype=float33", ["config.model.dtype=float33", "float32, bfloat16"]),
        ("--config.model.variant=XXL", ["XXL", "Ti", "S", "B", "L"]),
        ("--config.model.name=HybridVit", ["config.model.name='HybridVit'", "HybridConvViT"]),
        ("--config.mesh.fsdp=3", ["config.mesh.fsdp=3", "1, 2"]),
        ("--config.data.batch_size=7", ["batch 7", "2 devices", "config.data.batch_size", "6 or 8"]),
        ("--config.data.unlabeled_batch_size=9", ["config.data.unlabeled_batch_size", "8 or 10"]),
        ("--config.eval.batch_size=5", ["config.eval.batch_size", "4 or 6"]),
        ("--config.data.image_size=100", ["config.data.image_size=100", "96 or 112"]),
        (
            "--config.data.kind=pictures",
            ["data.kind", "pictures", "bundled, folder, pairs, tfds, array_record"],
        ),
        ("--config.data.crop_scale=0.9,0.5", ["config.data.crop_scale"]),
        ("--config.data.labeled_fraction=0", ["config.data.labeled_fraction"]),
        ("--config.eval.view=half", ["config.eval.view=half", "center, crop, squash, squash_aliased"]),
        ("--config.eval.classifier=/nowhere", ["config.eval.classifier", "/nowhere", "top1 and fed"]),
        ("--config.eval.inception=/nowhere", ["/nowhere", "no file"]),
        ("--config.eval.lpips_linear=/nowhere", ["config.eval.lpips_backbone", "two files"]),
        ("--config.init_from=/nowhere", ["/nowhere", "no checkpoint"]),
        ("--config.init_from=/nowhere/w.safetensors", ["/nowhere/w.safetensors", "no weights"]),
    ],
)
def test_a_wrong_flag(main, flag, parts):
    check(main(CONFIG, flag), *parts)


def test_a_generator_without_what_an_objective_needs(main):
    unet = ("--config=configs/supervised_vit.py", "--config.model.name=UNet", "--config.model.variant=32")
    check(
        main(*unet), "config.bins.weight=0.05: UNet predicts no distribution", "set config.bins.weight to 0"
    )
    few = (
        "--config=configs/ssl_vit.py",
        *unet[1:],
        "--config.restoration.weight=0",
        "--config.bins.weight=0",
    )
    check(main(*few), "config.consistency.weight=1: UNet", "set config.consistency.weight to 0")
    check(main(*few, "--config.restoration.weight=1", "--config.consistency.weight=0"), "shows no features")


def test_no_config(main):
    check(main(), "--config", "configs/ssl_vit.py")


def test_folders(main, tmp_path):
    folder = "--config=configs/ssl_vit.py:folder"
    check(main(folder), "--config.data.color_dir")
    check(main(folder, "--config.data.color_dir=/nowhere"), "--config.data.color_dir", "/nowhere")
    empty = tmp_path / "empty"
    empty.mkdir()
    check(main(folder, f"--config.data.color_dir={empty}"), "--config.data.color_dir", "no picture")
    colors = tmp_path / "colors"
    colors.mkdir()
    for i in range(3):
        noise = np.random.default_rng(i).integers(0, 256, (8, 8, 3), np.uint8)
        Image.fromarray(noise).resize((64, 64)).save(colors / f"{i}.png")
    have = (folder, f"--config.data.color_dir={colors}")
    check(main(*have, "--config.data.gray_dir=/nowhere"), "--config.data.gray_dir", "/nowhere")
    check(main(*have, f"--config.data.eval_dir={empty}"), "--config.data.eval_dir", "no picture")
    check(main(*have, "--config.data.eval_fraction=0"), "config.data.eval_fraction", "no held-out")


def test_sources_that_are_not_there(main):
    check(main("--config=configs/ssl_vit.py:tfds"), "--config.data.tfds_name")
    check(main("--config=configs/ssl_vit.py:tfds", "--config.data.tfds_name=nosuchset"), "nosuchset")
    check(main(CONFIG, "--config.data.kind=array_record"), "--config.data.color_records")


def test_evaluation(main, tmp_path):
    check(main("--mode=eval"), "--checkpoint")
    check(main("--mode=eval", "--checkpoint=/nowhere"), "/nowhere")
    check(main("--mode=eval", f"--checkpoint={tmp_path}"), str(tmp_path), "no checkpoint")
    check(main("--mode=eval", "--checkpoint=pretrained"), "--config=configs/protocols.py:coco_stuff")
    check(main("--mode=eval", "--checkpoint=/nowhere/w.safetensors", CONFIG), "no weights at /nowhere")
    protocol = ("--mode=eval", "--checkpoint=pretrained", "--config=configs/protocols.py:ade20k")
    check(main(*protocol), "--config.data.eval_dir")


def test_evaluation_of_a_run(main, tiny_run):
    run = f"--checkpoint={tiny_run}"
    check(main("--mode=eval", f"{run}/checkpoints/5"), "5")
    check(main("--mode=eval", run, CONFIG, "--config.data.kind=pictures"), "data.kind")
    check(main("--mode=eval", run, CONFIG, "--config.eval.batch_size=3"), "config.eval.batch_size")
    check(main("--mode=eval", run, CONFIG, "--config.eval.image_size=8"), "config.eval.image_size=8")


def test_the_work_folder_cannot_be_made(main, tmp_path):
    (tmp_path / "run").write_text("a file")
    check(main(CONFIG), str(tmp_path / "run"))


def test_as_a_module():
    command = [sys.executable, "-m", "hybridvit.main", CONFIG, "--config.model.varient=S"]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False)
    check((done.returncode, done.stderr), "did you mean 'variant'")
    assert not done.stdout
