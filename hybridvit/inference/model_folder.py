"""A folder of weights as a model hub takes it: model.safetensors, config.json with its digest, README.md as model card.

    hf upload OWNER/NAME FOLDER

The card's metadata (license, task, scores) are written by huggingface_hub, for the Hub to read.
"""

import hashlib
import importlib.metadata
import json
import os
import pathlib
import shutil
from collections.abc import Mapping
from typing import NamedTuple

import jax

from hybridvit.extras import needing
from hybridvit.inference.hub import CONFIG_FILE, WEIGHTS_FILE
from hybridvit.inference.weights import FORMAT, PRETRAINED_FILE, Weights, save_weights
from hybridvit.version import VERSION

PACKAGE = pathlib.Path(__file__).parents[1]
SHIPPED = PACKAGE / "pretrained"
CARD_FILE = "README.md"
OURS = "library_name: hybridvit"  # a line of the metadata
TASK = "image-to-image"  # the Hub's nearest
LEGAL = ("LICENSE", "NOTICE", "LICENSES/Apache-2.0.txt")  # what NOTICE says goes on with the released weights
NOT_STATED = "unknown"  # the Hub's word for a license that nobody stated
METRICS = {"psnr": "PSNR, dB", "ssim": "SSIM", "ciede2000": "CIEDE2000", "colorfulness": "colorfulness"}
TEXT = """\
# {name}

Colours grayscale photographs, by itself or with hints: a {model} of [hybridvit](https://pypi.org/project/hybridvit/),
{parameters:,} parameters.

    hybridvit colorize photo.jpg --output coloured --weights hf://OWNER/NAME
    hybridvit.load("hf://OWNER/NAME").colorize("photo.jpg").save("coloured.jpg")

`{file}` has the sha256 `{digest}`, which is checked when it is loaded; `hf://OWNER/NAME@COMMIT` stays with one commit.

Colours that it was given no hints for are guesses, not evidence of what the photographer saw.
"""


class Measured(NamedTuple):
    """Scores on some photographs: `scores` has the names of METRICS, an @ and the number of hints, as "psnr@10"."""

    photographs: str
    scores: Mapping[str, float]


class Rights(NamedTuple):
    """A license: one of the Hub's identifiers; "other" comes with a name and a file, or a link, that has its text."""

    license: str = NOT_STATED
    name: str | None = None
    link: str | None = None


def save_model_folder(
    weights: Weights,
    folder: str | os.PathLike,
    rights: Rights | None = None,
    measured: Measured | None = None,
) -> None:
    """Writes the three files into `folder`, which is made if it is missing; the weights last.

    The released weights bring their own card, and the texts of their license. Raises ModuleNotFoundError without
    `pip install 'hybridvit[hub]'`, FileExistsError if another README.md is there.
    """
    folder = pathlib.Path(folder)
    released = weights.digest == hashlib.sha256((SHIPPED / PRETRAINED_FILE).read_bytes()).hexdigest()
    said = json.loads((SHIPPED / "card.json").read_text()) if released else {}
    if released:
        if rights not in (None, Rights()):
            raise ValueError(f"the released weights have their license, in {', '.join(LEGAL)}: give no other")
        rights, measured = Rights(**said["rights"]), Measured(**said["measured"])
    rights = rights or Rights()
    head = card_metadata(weights.name, rights, measured)
    card = folder / CARD_FILE
    if card.exists() and OURS not in card.read_text(encoding="utf-8", errors="replace"):
        raise FileExistsError(f"{card} is there, and is no model card of hybridvit: name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{WEIGHTS_FILE}.new"
    if released:  # the same bytes, the same digest
        shutil.copyfile(SHIPPED / PRETRAINED_FILE, partial)
    else:
        save_weights(weights, partial)
    digest = hashlib.sha256(partial.read_bytes()).hexdigest()
    text = TEXT.format(
        name=weights.name,
        model=f"{weights.model.name} {weights.model.variant}",
        parameters=sum(leaf.size for leaf in jax.tree.leaves(weights.params)),
        file=WEIGHTS_FILE,
        digest=digest,
    )
    if released:
        text += f"\nOf `{PRETRAINED_FILE}`, which is `{WEIGHTS_FILE}` here:\n\n"
        text += (SHIPPED / CARD_FILE).read_text(encoding="utf-8").replace("# Model card", "## Model card", 1)
        for name in LEGAL:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(legal_text(name), encoding="utf-8")
    card.write_text(f"---\n{head}---\n\n{text}", encoding="utf-8")
    about = {"library_name": "hybridvit", "library_version": VERSION, "format": FORMAT, "name": weights.name}
    about |= {"model": weights.model.to_dict(), "sha256": digest}
    (folder / CONFIG_FILE).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    partial.replace(folder / WEIGHTS_FILE)


def card_metadata(name: str, rights: Rights, measured: Measured | None = None) -> str:
    """The block of YAML at the top of a model card. Raises ModuleNotFoundError, ValueError for a score's name."""
    with needing("hub", "a model card needs"):
        from huggingface_hub import EvalResult, ModelCardData
    results = [
        EvalResult(
            task_type=TASK,
            task_name="Image colorization",
            dataset_type="held-out-photographs",
            dataset_name=measured.photographs,
            metric_type=metric,
            metric_name=f"{METRICS[metric]}, {hints} hints",
            metric_value=round(value, 4),
        )
        for metric, hints, value in _by_metric(measured)
    ]
    data = ModelCardData(
        license=rights.license,
        license_name=rights.name,
        license_link=rights.link,
        library_name="hybridvit",
        pipeline_tag=TASK,
        tags=["image-colorization", "jax", "flax"],
        metrics=sorted({result.metric_type for result in results}) or None,
        model_name=name if results else None,
        eval_results=results or None,
    )
    return f"{data.to_yaml()}\n"


def measured_of_run(folder: str | os.PathLike, name: str) -> Measured | None:
    """The scores of the last evaluation in a training's work folder, if it is of the weights of that name."""
    path = pathlib.Path(folder) / "evaluation" / "report.json"
    if not path.is_file():
        return None
    report = json.loads(path.read_text())
    if report.get("weights") != name:
        return None
    scores = {
        f"{metric}@{system.removeprefix('model@')}": row[metric]
        for system, row in report["systems"].items()
        if system.startswith("model@")
        for metric in METRICS
        if metric in row
    }
    return Measured(f"{report['pictures']} photographs held out of the training", scores)


def legal_text(name: str) -> str:
    """LICENSE, NOTICE or a file of LICENSES/: beside the package in a clone, among its metadata where installed."""
    beside = PACKAGE.parent / name
    if beside.is_file():
        return beside.read_text(encoding="utf-8")
    text = importlib.metadata.distribution("hybridvit").read_text(f"licenses/{name}")
    assert text is not None, name  # pyproject.toml names it
    return text


def _by_metric(measured: Measured | None) -> list[tuple[str, str, float]]:
    scores = measured.scores if measured else {}
    for name in scores:
        if name.partition("@")[0] not in METRICS or not name.partition("@")[2].isdigit():
            raise ValueError(
                f"score {name!r}: a name of {', '.join(METRICS)}, then @ and the number of hints"
            )
    return [(*name.split("@"), float(value)) for name, value in scores.items()]
