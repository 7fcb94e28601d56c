"""A collection of one's own: what a few of its colour photographs are worth, and what its gray ones add.

    python -m tests.benchmarks.collection --photos FOLDER [--weights base.safetensors] [--seeds 3] [--size 128]

FOLDER holds colour photographs of one kind, which the weights have not seen. For each seed some of them are the colour
ones, some others are used without their colours, and the rest is measured on. `configs/collection.py` trains on them,
with the gray ones and without; prints, beside the given weights, the means over seeds and their standard errors, and
for each difference between two rows that over seeds, which have the same pictures.
"""

import argparse
import json
import pathlib
import random
import shutil
import tempfile
import time

from configs import collection
from hybridvit.comparison.label_runs import estimate
from hybridvit.runtime.compilation import enable_compilation_cache
from hybridvit.train import train

SCORES = ("psnr", "ciede2000", "log_likelihood", "log_likelihood_balanced", "colorfulness")
ARMS = {  # variant of configs/collection.py and what it changes
    "as given": ("supervised", {"optim.learning_rate": 0.0, "train.steps": 1, "optim.warmup_steps": 0}),
    "supervised": ("supervised", {}),
    "semi": ("semi", {}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--photos", type=pathlib.Path, required=True)
    parser.add_argument("--weights", default="pretrained", help="to begin with")
    parser.add_argument("--color", type=int, default=30, help="colour photographs to train on")
    parser.add_argument("--gray", type=int, default=300, help="gray photographs to train on")
    parser.add_argument("--test", type=int, default=150, help="photographs to measure on")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--size", type=int, default=128, help="px, side of the training and measuring squares"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUE", help="of the trained arms"
    )
    options = parser.parse_args()
    enable_compilation_cache()  # one program for each arm, not one for each seed
    changes = {field: json.loads(value) for field, value in (text.split("=", 1) for text in options.set)}
    with tempfile.TemporaryDirectory() as folder:
        results = [
            run_seed(seed, options, changes, pathlib.Path(folder) / str(seed))
            for seed in range(options.seeds)
        ]
    for name in ARMS:
        print(f"{name:22}", *(estimate([r[name][score] for r in results]) for score in SCORES), sep=" | ")
    for first, second in (("supervised", "as given"), ("semi", "as given"), ("semi", "supervised")):
        differences = [estimate([r[first][s] - r[second][s] for r in results]) for s in SCORES]
        print(f"{f'{first} - {second}':22}", *differences, sep=" | ")
    print(" " * 22, *SCORES, sep=" | ")


def run_seed(seed: int, options: argparse.Namespace, changes: dict, folder: pathlib.Path) -> dict:
    """The scores of each arm; the seed chooses the pictures."""
    files = sorted(
        path for path in options.photos.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png")
    )
    random.Random(seed).shuffle(files)
    parts = {"color": options.color, "gray": options.gray, "test": options.test}
    if len(files) < sum(parts.values()):
        raise SystemExit(f"{options.photos} has {len(files)} photographs: {sum(parts.values())} are needed")
    for part, count in parts.items():
        (folder / part).mkdir(parents=True)
        for _ in range(count):
            file = files.pop()
            shutil.copy(file, folder / part / file.name)
    found = {}
    for name, (variant, own) in ARMS.items():
        config = collection.get_config(variant)
        config.seed = seed
        config.init_from = options.weights
        config.data.color_dir, config.data.gray_dir = str(folder / "color"), str(folder / "gray")
        config.data.eval_dir, config.data.eval_limit = str(folder / "test"), 0
        config.data.image_size = config.eval.image_size = options.size
        config.eval.batch_size, config.eval.hint_counts = 10, (0,)
        config.update_from_flattened_dict(changes | own)
        config.train.eval_every = config.train.steps
        start = time.process_time()
        train(config, folder / name)
        lines = [json.loads(line) for line in (folder / name / "metrics.jsonl").read_text().splitlines()]
        (scores,) = (line for line in lines if "eval/psnr" in line)
        found[name] = {score: scores[f"eval/{score}"] for score in SCORES}
        minutes = (time.process_time() - start) / 60
        print(f"seed {seed}, {name}: {scores['eval/psnr']:.2f} dB, {minutes:.1f} minutes of CPU", flush=True)
    return found


if __name__ == "__main__":
    main()
