"""Hostile files for each reader of files: a sound one, then damage that knows its form, the same for the same chance.

`make_targets(folder)` gives them by name; `try_one` says what became of one input. Damage to bytes and to JSON is that
of `tests.studio.fuzzing`; beside it stand bombs: sizes that are not there, zeros that are well compressed, depths.
"""

import dataclasses
import functools
import io
import json
import pathlib
import pickle
import random
import shutil
import struct
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np
from flax import nnx
from flax.traverse_util import flatten_dict
from PIL import Image

from configs import ssl_vit
from hybridvit.color.bins import NUM_BINS
from hybridvit.data.decode import read_picture
from hybridvit.hints.sidecar import parse_hints
from hybridvit.inference import weights
from hybridvit.inference.palette import palette_of
from hybridvit.models import embedding
from hybridvit.models.generator import build_generator
from hybridvit.models.torch_file import LEGACY_MAGIC, read_state_dict
from hybridvit.photo.photo import photo_of, read_photo
from hybridvit.runtime.checkpoint import Checkpoints
from hybridvit.runtime.digest import json_digest
from hybridvit.runtime.mesh import build_mesh
from hybridvit.studio.decoded_fields import from_text, to_text
from hybridvit.training.validate import saved_config
from tests.studio.fuzzing import damage, odd, pictures

Damage = Callable[[random.Random], bytes]
MOST_PIXELS = 10**6  # of a photograph here, as a user may set it; a bomb is what needs much more
LONGEST_LINE = 2000
BOMB = 2**24  # bytes that a few kB of zip become
LITERALS = (
    "1e999",
    "NaN",
    "Infinity",
    "-Infinity",
    "9" * 5000,
    "1" + "0" * 400,
    "-0",
    "1e-999",
    '"\\ud800"',
    "true",
)
SIDECAR = {
    "version": 1,
    "picture": {"width": 40, "height": 30, "sha256": "0" * 64},
    "hints": [
        {"type": "point", "x": 12.5, "y": 3, "color": "#2e6b3a", "source": "catalogue"},
        {"type": "stroke", "points": [[1, 2], [3, 4]], "width": 5, "color": [12.5, -3]},
        {"type": "region", "polygon": [[0, 0], [9, 0], [0, 9]], "color": "#102030"},
        {
            "type": "region",
            "mask": {"left": 1, "top": 2, "width": 3, "height": 2, "runs": [1, 4, 1]},
            "color": "#fff0f0",
        },
    ],
    "palette": [{"color": "#807050", "weight": 2.5}, {"color": "#203040"}],
    "settings": {"size": 320, "strength": 0.8, "decode": "sample", "seed": 3},
    "protected": [{"polygon": [[5, 5], [20, 5], [20, 20]], "hints": [], "settings": {"decode": "mean"}}],
}


@dataclasses.dataclass(frozen=True)
class Target:
    """`place` writes an input, of damage by chance (None: a sound one); `read` reads it as the program does."""

    place: Callable[[random.Random | None], None]
    read: Callable[[], Any]


def try_one(target: Target, chance: random.Random | None) -> str:
    """ "read", "refused" (an error of one line, of a kind that ends a command in one), or what else came of it."""
    target.place(chance)
    try:
        target.read()
    except (ValueError, OSError) as error:
        line = str(error)
        return (
            "refused"
            if "\n" not in line and 0 < len(line) < LONGEST_LINE
            else f"not one line: {line[:200]!r}"
        )
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:200]}"
    return "read"


def make_targets(folder: pathlib.Path) -> dict[str, Target]:
    """By the reader's name; their files lie in the folder. Models are built once for each description of one."""
    inside = weights._abstract
    build = functools.cache(lambda model: inside(weights.ConfigDict(json.loads(model))))
    config = ssl_vit.get_config()
    config.model.variant = "test"
    params = jax.tree.map(np.asarray, build_generator(config.model).init(jax.random.key(1))[0])
    tiny = weights.Weights(params, np.zeros(NUM_BINS, np.float32), config.model, "tiny", "")
    weights.save_weights(tiny, folder / "w.safetensors")

    def load(path: pathlib.Path) -> None:
        weights._abstract = lambda model: build(model.to_json())
        try:
            weights.load_weights(path)
        finally:
            weights._abstract = inside

    def of_file(name: str, make: Damage, sound: bytes, read: Callable[[pathlib.Path], Any]) -> Target:
        path = folder / name
        return Target(
            lambda chance: path.write_bytes(sound if chance is None else make(chance)), lambda: read(path)
        )

    def photo(path: pathlib.Path) -> None:
        read = read_photo(path, MOST_PIXELS)
        for page in read.further[:10]:
            read_photo(path, MOST_PIXELS, page)
        palette_of(photo_of(read.pixels.astype(np.uint8)[..., :1].repeat(3, -1)).pixels)

    images = pictures()
    run = {"config": json.loads(config.to_json()), "step": 3}
    sidecar, answer = json.dumps(SIDECAR).encode(), to_text(photo_of(np.zeros((2, 2, 3), np.uint8))).encode()
    state_dict, old_state_dict = zipped_state_dict(), legacy_state_dict()
    vit, file = vit_npz(), (folder / "w.safetensors").read_bytes()
    return {
        "safetensors": of_file("w.safetensors", functools.partial(break_safetensors, file), file, load),
        "pth": of_file("w.pth", functools.partial(break_zip, state_dict), state_dict, read_state_dict),
        "old pth": of_file(
            "old.pth", functools.partial(break_pickle, old_state_dict), old_state_dict, read_state_dict
        ),
        "ViT npz": of_file(
            "vit.npz",
            functools.partial(break_zip, vit),
            vit,
            lambda path: embedding.read_vit(path, "ViT-test"),
        ),
        "checkpoint": checkpoint_target(folder / "run", config, tiny, load),
        "config": of_file(
            "config.json",
            functools.partial(break_json, run),
            json.dumps(run).encode(),
            read_config,
        ),
        "sidecar": of_file(
            "s.json",
            functools.partial(break_json, SIDECAR),
            sidecar,
            lambda path: parse_hints(path.read_bytes()),
        ),
        "photograph, as reference": of_file(
            "photo", functools.partial(break_picture, images), images["gray.jpg"], photo
        ),
        "training picture": of_file(
            "picture", functools.partial(break_picture, images), images["gray.jpg"], read_picture
        ),
        "photograph, by Pillow": of_file(
            "image", functools.partial(break_picture, images), images["gray.jpg"], by_pillow
        ),
        "decoder's answer": of_file(
            "rest",
            functools.partial(break_json, json.loads(answer)),
            answer,
            lambda path: from_text(path.read_bytes()),
        ),
    }


def by_pillow(path: pathlib.Path) -> None:
    """As an image that its user has opened; what Pillow does not open is no matter of ours."""
    try:
        image = Image.open(path)
    except Exception as error:
        raise ValueError("not opened") from error
    with image:
        if image.width * image.height <= MOST_PIXELS:
            photo_of(image)


def read_config(path: pathlib.Path) -> None:
    """As of a checkpoint, whose JSON is Orbax's to read, and refused by `Checkpoints` if it is no object."""
    try:
        run = json.loads(path.read_bytes())
    except RecursionError:
        raise ValueError("nested too deep") from None
    if not isinstance(run, dict):
        raise ValueError("no object")
    saved_config(run)


def break_bytes(sound: bytes, chance: random.Random) -> bytes:
    """One to four damages anywhere."""
    data = bytearray(sound)
    for _ in range(chance.randint(1, 4)):
        data = damage(data, chance, {"itself": sound})
    return bytes(data)


def break_json(sound: Any, chance: random.Random) -> bytes:
    """Values replaced, removed, or of absurd size; names given twice; depths; broken text."""
    value = sound
    for _ in range(chance.randint(1, 3)):
        value = odd(value, chance)
    text = json.dumps(value)
    match chance.randrange(10):
        case 0:
            return break_bytes(json.dumps(sound).encode(), chance)
        case 1:
            opening = chance.choice(("[", '{"a":', "[[{}, "))
            return (opening * chance.choice((900, 100_000))).encode()
        case 2:  # somewhere, a number that is none or has no end
            spots = [i for i, sign in enumerate(text) if sign == ":"] or [0]
            at = chance.choice(spots) + 1
            end = min((i for i in (text.find(",", at), text.find("}", at)) if i > 0), default=len(text))
            return (text[:at] + chance.choice(LITERALS) + text[end:]).encode()
        case 3:
            return text.replace("{", '{"version": 1, "version": 1, ', chance.randint(1, 3)).encode()
        case 4:
            return (text[:-1] + chance.choice(("", "]", ',"x":' + "[" * 300 + "]" * 300 + "}"))).encode()
    return text.encode("utf-8", "replace")


def break_safetensors(sound: bytes, chance: random.Random) -> bytes:
    """The header: its length, its sizes and places, what it says of the model; or the bytes."""
    length = int.from_bytes(sound[:8], "little")
    header, rest = json.loads(sound[8 : 8 + length]), sound[8 + length :]
    kind = chance.randrange(6)
    if kind == 0:
        return break_bytes(sound, chance)
    if kind == 1:
        return (
            struct.pack("<Q", chance.choice((0, 1, length - 1, 2**31, 2**40, 2**63, 2**64 - 1))) + sound[8:]
        )
    about = dict(header["__metadata__"])
    if kind == 2:
        text = break_json(header, chance)
    elif kind == 3:
        about["model"] = break_json(json.loads(about["model"]), chance).decode("utf-8", "replace")
        text = json.dumps(header | {"__metadata__": about}).encode()
    elif kind == 4:
        text = json.dumps(header | {"__metadata__": odd(about, chance)}).encode()
    else:
        name = chance.choice([name for name in header if name != "__metadata__"])
        entry = dict(header[name])
        entry[chance.choice(list(entry))] = chance.choice(
            (
                "F64",
                "BF16",
                "F8_E4M3",
                [2**40, 2**40],
                [],
                [0],
                [0, 2**62],
                [2**63, -1],
                [1] * 5000,
                None,
                [5, 4],
            )
        )
        deep = {"/".join("a" * chance.choice((2, 3000))): header[name]} if chance.random() < 0.1 else {}
        text = json.dumps({**header, name: entry, **deep}).encode()
    return struct.pack("<Q", len(text)) + text + rest


def break_zip(sound: bytes, chance: random.Random) -> bytes:
    """The archive's bytes, or its entries: damaged, compressed, given twice, gone, bombs, other arrays and pickles."""
    if chance.random() < 0.3:
        return break_bytes(sound, chance)
    with zipfile.ZipFile(io.BytesIO(sound)) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    chosen = chance.choice(list(entries)) if chance.random() < 0.6 else next(iter(entries))
    compression = zipfile.ZIP_STORED
    match chance.randrange(6):
        case 0:
            del entries[chosen]
        case 1:
            compression = zipfile.ZIP_DEFLATED
            head = entries[chosen][: chance.choice((0, 128))]
            entries[chosen] = head + bytes(chance.choice((10**4, BOMB)))
        case 2 if chosen.endswith(".npy"):
            entries[chosen] = npy_header(chance) + entries[chosen][128:]
        case _:
            broken = break_pickle if chosen.endswith(".pkl") else break_bytes
            entries[chosen] = broken(entries[chosen], chance)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in entries.items():
            archive.writestr(zipfile.ZipInfo(name), content, compression)
    return file.getvalue()


def npy_header(chance: random.Random) -> bytes:
    """Of a `.npy` file: its shape and type are not those of the numbers that follow."""
    shape = chance.choice(
        ("(1, 1, 24)", "(2**40,)", f"({2**40},)", f"({2**62}, 8)", "(-1,)", "(" * 90 + ")" * 90, "()")
    )
    dtype = chance.choice(
        ("<f4", "<f8", "|O", "<U1000000000", "|V999999999", "[('a', '<f4')]", "<M8[s]", ">f2")
    )
    text = f"{{'descr': {dtype!r}, 'fortran_order': {chance.choice((True, False))}, 'shape': {shape}, }}"
    return (
        b"\x93NUMPY"
        + chance.choice((b"\1\0", b"\2\0", b"\3\0", b"\xff\0"))
        + struct.pack("<H", len(text))
        + text.encode()
    )


def break_pickle(sound: bytes, chance: random.Random) -> bytes:
    """Instructions put in: calls, tables of any size, depths, lengths that are not there; or damage."""
    if chance.random() < 0.3:
        return break_bytes(sound, chance)
    calls = (
        b"cos\nsystem\n(X\4\0\0\0truetR",
        b"cbuiltins\neval\nX\3\0\0\x001+1\x85R",
        b"c__builtin__\ngetattr\n",
        b"\x8c\2os\x8c\6system\x93",
        b"(ios\nabort\n",
        b"}q\xff\x81",  # NEWOBJ
        b"cnumpy\nzeros\n\x8a\5\0\0\0\0\1\x85R",
        b"ctorch._utils\n_rebuild_tensor_v2\n)R",
        b"ccollections\nOrderedDict\n](]]\x86eR",
    )
    depth = chance.choice((50, 2000, 2000, 150_000))
    bombs = (
        b"Nr\xff\xff\xff\x7f0",  # the table of what was put aside, up to 2 ** 31
        b"Nr\xff\xff\xff\xff0",
        b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7f",  # bytes, so many
        b"\x96\0\0\0\0\0\1\0\0",  # a bytearray of 2 ** 40
        b"\x95\xff\xff\xff\xff\xff\xff\0\0",  # a frame
        b"\x8b\xff\xff\xff\x7f",
        b"X\xff\xff\xff\x7f",
        b"}" + b")" + b"\x85" * depth + b"Ns",  # a tuple of tuples of ... as a key
        b")" + b"\x85" * depth + b"0",
        b"(" * 10_000 + b"t" * 10_000,
        b"]" + b"2a" * 50,  # a list of itself
        b"I" + b"9" * 5000 + b"\n",
    )
    at = chance.randrange(2, len(sound)) if chance.random() < 0.7 else len(sound) - 1
    return sound[:at] + chance.choice((*calls, *bombs, *bombs)) + sound[at:]


def break_picture(images: Mapping[str, bytes], chance: random.Random) -> bytes:
    """One of the studio's broken uploads."""
    data = bytearray(images[chance.choice(list(images))])
    for _ in range(chance.randint(1, 4)):
        data = damage(data, chance, images)
    return bytes(data)


def pickled_state_dict(arrays: Mapping[str, np.ndarray]) -> bytes:
    """As PyTorch writes it, instruction by instruction."""

    def text(value: str) -> bytes:
        return b"X" + struct.pack("<I", len(value)) + value.encode()

    def number(value: int) -> bytes:
        return b"J" + struct.pack("<i", value)

    out = b"\x80\2ccollections\nOrderedDict\nq\0)Rq\1("
    for key, (name, array) in enumerate(arrays.items()):
        storage = (
            b"("
            + text("storage")
            + b"ctorch\nFloatStorage\n"
            + text(str(key))
            + text("cpu")
            + number(array.size)
            + b"tQ"
        )
        sides = [number(side) for side in array.shape]
        strides = [number(stride // 4) for stride in array.strides]
        out += text(name) + b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + number(0)
        out += b"(" + b"".join(sides) + b"t(" + b"".join(strides) + b"t" + b"\x89h\0)RtR"
    return out + b"u."


def state_dict_arrays() -> dict[str, np.ndarray]:
    return {"a.weight": np.ones((2, 3, 4), np.float32), "a.bias": np.arange(5, dtype=np.float32)}


def zipped_state_dict() -> bytes:
    """The form since PyTorch 1.6."""
    arrays, file = state_dict_arrays(), io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("w/data.pkl", pickled_state_dict(arrays))
        archive.writestr("w/byteorder", b"little")
        for key, array in enumerate(arrays.values()):
            archive.writestr(f"w/data/{key}", array.tobytes())
    return file.getvalue()


def legacy_state_dict() -> bytes:
    """The form before."""
    arrays = state_dict_arrays()
    parts = [pickle.dumps(x, 2) for x in (LEGACY_MAGIC, 1001, {"little_endian": True})]
    parts += [pickled_state_dict(arrays), pickle.dumps([str(key) for key in range(len(arrays))], 2)]
    return b"".join(parts + [struct.pack("<Q", x.size) + x.tobytes() for x in arrays.values()])


def vit_npz() -> bytes:
    """Weights of the ViT that stands for the published ones in tests."""
    make = lambda: embedding.build_classifier("ViT-test", dtype="float32", rngs=nnx.Rngs(0))  # noqa: E731
    shapes = flatten_dict(nnx.to_pure_dict(nnx.state(nnx.eval_shape(make), nnx.BatchStat)), sep="/")
    file = io.BytesIO()
    np.savez(file, **{name: np.ones(leaf.shape, np.float32) for name, leaf in shapes.items()})
    return file.getvalue()


def checkpoint_target(
    folder: pathlib.Path, config: Any, tiny: weights.Weights, load: Callable[[pathlib.Path], None]
) -> Target:
    """A checkpoint of which one file is broken; its JSON with digests that are right again, every other time."""
    run = {"config": json.loads(config.to_json()), "step": 3}
    state = {"ema": tiny.params, "bin_prior": np.full(NUM_BINS, 1 / NUM_BINS, np.float32)}
    mesh = build_mesh(1, jax.devices()[:1])
    replicated = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())
    with Checkpoints(folder / "checkpoints", keep_last=1) as checkpoints:
        checkpoints.save(3, jax.tree.map(lambda x: jax.device_put(x, replicated), state), run)
    sound = folder.with_name("sound")
    shutil.copytree(folder / "checkpoints" / "3", sound)
    files = sorted(path.relative_to(sound) for path in sound.rglob("*") if path.is_file())
    changed: list[pathlib.Path] = []

    def place(chance: random.Random | None) -> None:
        there = folder / "checkpoints" / "3"
        while changed:
            name = changed.pop()
            (there / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(sound / name, there / name)
        if chance is None:
            return
        name = chance.choice(files)
        content = (sound / name).read_bytes()
        changed.append(name)
        if chance.random() < 0.05:
            (there / name).unlink()
            return
        try:
            value = json.loads(content)
        except ValueError:
            (there / name).write_bytes(break_bytes(content, chance))
            return
        (there / name).write_bytes(break_json(value, chance))
        if name.parts[0] in ("run", "digests") and chance.random() < 0.7:
            about, digests = (
                json.loads((sound / one / "data.json").read_bytes()) for one in ("run", "digests")
            )
            arrays = digests["arrays"]
            if name.parts[0] == "run":
                about = odd(about, chance)
            else:
                arrays = odd(arrays, chance)
            digest = json_digest({"run": about, "arrays": arrays})
            changed.extend(path for path in files if path.parts[0] in ("run", "digests"))
            (there / "run" / "data.json").write_text(json.dumps(about))
            (there / "digests" / "data.json").write_text(json.dumps({"arrays": arrays, "json": digest}))

    return Target(place, lambda: load(folder))
