"""Files of other runtimes agree with JAX, say what they are, and are read with suspicion."""

import json
import pathlib
import sys

import jax
import numpy as np
import pytest
import safetensors
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

import hybridvit
from hybridvit.color.bins import NUM_BINS
from hybridvit.export.write import save_onnx, save_stablehlo
from hybridvit.inference import exported_predictor
from hybridvit.inference.colorizer import Colorizer
from hybridvit.inference.exported import (
    KEY,
    MODULE,
    About,
    about_from_json,
    interface,
    least_squares,
)
from hybridvit.inference.exported_predictor import load_exported
from hybridvit.inference.predictor import Predictor
from hybridvit.inference.weights import Weights
from hybridvit.models.hint_propagation import MAX_CELLS

KINDS = ("onnx lite", "stablehlo lite", "onnx tiny", "stablehlo tiny")
NEEDED = {"onnx": ("onnx", "onnxruntime"), "stablehlo": ("flatbuffers",)}
TOLERANCE = 1e-3


RARITY = np.linspace(-1, 1, NUM_BINS, dtype=np.float32)  # not all bins are as frequent: the file says so


@pytest.fixture(scope="module", params=KINDS)
def case(request, tiny_weights, lite_weights, tmp_path_factory) -> tuple[pathlib.Path, Weights]:
    kind, name = request.param.split()
    for module in NEEDED[kind]:
        pytest.importorskip(module, reason=f"{kind} files need {module}")
    weights = {"tiny": tiny_weights, "lite": lite_weights}[name]._replace(log_rarity=RARITY)
    path = tmp_path_factory.mktemp("exported") / f"m.{kind}"
    {"onnx": save_onnx, "stablehlo": save_stablehlo}[kind](weights, path)
    return path, weights


@pytest.fixture(scope="module")
def path(case) -> pathlib.Path:
    return case[0]


@pytest.fixture(scope="module")
def weights(case) -> Weights:
    return case[1]


@pytest.fixture(scope="module")
def onnx_path(tiny_weights, tmp_path_factory) -> pathlib.Path:
    for module in NEEDED["onnx"]:
        pytest.importorskip(module, reason=f"onnx files need {module}")
    path = tmp_path_factory.mktemp("onnx") / "m.onnx"
    save_onnx(tiny_weights, path)
    return path


def views(shape: tuple[int, ...], share: float):
    rng = np.random.default_rng(sum(shape))
    L = rng.uniform(0, 100, shape).astype(np.float32)
    mask = rng.uniform(size=shape) < share
    return L, (rng.uniform(-60, 60, (*shape, 2)).astype(np.float32) * mask[..., None], mask)


def test_it_agrees_with_jax_at_every_size(path, weights):
    ours, theirs = Predictor(weights), load_exported(path)
    for shape in ((1, 64, 64), (2, 100, 140)):
        for share in (0.0, 0.002, 0.3):  # none, a few, and more hint cells than are attended to
            L, hints = views(shape, share)
            a, b = (predictor(L, hints) for predictor in (ours, theirs))
            np.testing.assert_allclose(b.mean / 110, a.mean / 110, atol=TOLERANCE)
            np.testing.assert_allclose(b.logits, a.logits, atol=TOLERANCE)
            assert a.vivid is None is b.vivid
        a, b = (predictor(L) for predictor in (ours, theirs))
        np.testing.assert_allclose(b.vivid / 110, a.vivid / 110, atol=TOLERANCE)
        assert np.ptp(a.logits) > 1  # there is something to agree on


def test_a_colorizer_is_loaded_from_it(path, weights):
    gray = np.arange(80 * 60, dtype=np.uint8).reshape(80, 60)
    colorizer = hybridvit.load(path)
    assert (colorizer.name, len(colorizer.digest)) == (weights.name, 64)
    found, expected = (c.colorize(gray, size=64) for c in (colorizer, Colorizer(weights)))
    assert np.abs(found.rgb.astype(int) - expected.rgb).max() <= 1
    assert found.provenance["weights_sha256"] == weights.digest
    assert found.provenance["exported"] == path.suffix[1:]


def test_small_numbers_of_the_caller_stay_what_they_are(path):
    predictor = load_exported(path)
    predictor(np.full((1, 64, 64), 50, np.float32))
    assert sys.float_info.min / 2 > 0


def test_it_says_what_it_is(path, weights):
    multiple = {"tiny": 16, "lite": 32}[weights.name]
    if path.suffix == ".onnx":
        onnx = pytest.importorskip("onnx")
        model = onnx.load(path)
        onnx.checker.check_model(model)
        text = {prop.key: prop.value for prop in model.metadata_props}[KEY]
        shapes = [
            [d.dim_param or d.dim_value for d in x.type.tensor_type.shape.dim] for x in model.graph.input
        ]
        assert shapes == [["b", f"{multiple}*h", f"{multiple}*w", channels] for channels in (1, 3)]
    else:
        with safetensors.safe_open(path, "numpy") as file:
            text = file.metadata()[KEY]
    about = about_from_json(text)
    assert (about.name, about.weights, about.license) == (weights.name, weights.digest, "not stated")
    assert about.multiple == multiple
    assert about.model == weights.model.to_dict()
    np.testing.assert_array_equal(np.float32(about.log_rarity), weights.log_rarity)
    said = json.loads(text)
    assert said["interface"]["color_space"].startswith("CIE Lab")
    assert said["interface"]["sizes"].startswith(f"multiples of {multiple} px")
    assert said["vivid"]["temperature"] == 0.6
    assert np.shape(said["bin_centres"]) == (NUM_BINS, 2)


def test_nothing_is_left_beside_it(path):
    assert [other.name for other in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("multiple", "words"),
    [
        (16, "multiples of 16 px, 8 squares of 16 px at least"),
        (32, "multiples of 32 px, 2 squares of 32 px at least"),
    ],
)
def test_the_least_size_has_as_many_cells_as_hints_spread_from(multiple, words):
    assert interface(multiple)["sizes"] == words
    assert least_squares(multiple) * (multiple // 4) ** 2 >= MAX_CELLS


def test_depthwise_convolutions_are_convolutions_in_the_file(lite_weights, tmp_path):
    onnx = pytest.importorskip("onnx", reason="onnx files need onnx")
    save_onnx(lite_weights, tmp_path / "m.onnx")
    graph = onnx.load(tmp_path / "m.onnx").graph
    found = [
        {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
        for node in graph.node
        if node.op_type == "Conv"
    ]
    groups = [conv for conv in found if conv["group"] > 1]
    encoder = lite_weights.params["half"]["encoder"]
    assert len(groups) == sum(len(stage) for name, stage in encoder.items() if name != "stem")
    uneven = [conv for conv in groups if conv["pads"][:2] != conv["pads"][2:]]
    assert uneven
    assert all(conv["strides"] == [2, 2] for conv in uneven)


def test_another_generator_is_refused(tiny_weights, tmp_path):
    pytest.importorskip("flatbuffers", reason="stablehlo files need flatbuffers")
    config = tiny_weights.model.copy_and_resolve_references()
    with config.unlocked():
        config.name = "Siggraph17"
    with pytest.raises(ValueError, match="tiny is a Siggraph17: only a HybridConvViT can be exported"):
        save_stablehlo(tiny_weights._replace(model=config), tmp_path / "m.stablehlo")


def test_what_is_no_such_file(path, tmp_path, monkeypatch):
    bad = tmp_path / f"bad{path.suffix}"
    with pytest.raises(FileNotFoundError, match="no model at"):
        load_exported(bad)
    for content in (b"", b"hello" * 9, path.read_bytes()[: path.stat().st_size // 2]):
        bad.write_bytes(content)
        with pytest.raises(ValueError, match=rf"^{bad}: (no|it was not written) [^\n]*$"):
            load_exported(bad)
    monkeypatch.setattr(exported_predictor, "MOST_BYTES", 99)
    with pytest.raises(ValueError, match="at most 99 are read"):
        load_exported(path)


ABOUT = About("a", "b", {}, (0.0,) * NUM_BINS, "MIT", 32)


def test_a_file_of_0_1_says_no_multiple():
    said = json.loads(ABOUT.to_json())
    del said["multiple"]
    assert about_from_json(json.dumps(said)).multiple == 16


@pytest.mark.parametrize("multiple", [48, "32", [32], None, 0])
def test_an_unknown_multiple_is_refused(multiple):
    said = json.loads(ABOUT.to_json()) | {"multiple": multiple}
    with pytest.raises(ValueError, match=r"its sizes are multiples of .* px"):
        about_from_json(json.dumps(said))


@settings(deadline=None)
@given(st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_a_description_is_read_or_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011
        about_from_json(text)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["name", "weights", "model", "log_rarity", "license", "multiple", "format"]),
        st.text(),
    )
)
def test_a_changed_description_is_read_or_refused(changes):
    said = json.loads(ABOUT.to_json())
    try:
        about = about_from_json(json.dumps(said | changes))
    except ValueError as error:
        assert "\n" not in str(error).strip()  # noqa: PT017
    else:
        assert about.log_rarity == (0.0,) * NUM_BINS


class TestHostileOnnx:
    """Each change to a good file that would read, or run, what is not in it."""

    @pytest.fixture
    def refused(self, onnx_path, tmp_path):
        import onnx

        model = onnx.load(onnx_path)

        def refused(match: str) -> None:
            bad = tmp_path / "bad.onnx"
            bad.write_bytes(model.SerializeToString())
            with pytest.raises(ValueError, match=rf"^{bad}: [^\n]*{match}[^\n]*$"):
                load_exported(bad)

        return model, refused

    def test_weights_in_another_file(self, refused, tmp_path):
        model, refused = refused
        secret = tmp_path / "secret"
        secret.write_bytes(bytes(100))
        tensor = model.graph.initializer[0]
        tensor.data_location = 1
        tensor.external_data.add(key="location", value=str(secret))
        tensor.ClearField("raw_data")
        refused("another file")

    def test_constants_of_nodes_in_another_file(self, refused):
        import onnx

        model, refused = refused
        tensor = onnx.TensorProto(name="x", data_type=1, dims=[1], data_location=1)
        tensor.external_data.add(key="location", value="/etc/passwd")
        model.graph.node.append(onnx.helper.make_node("Constant", [], ["x"], value=tensor))
        refused("another file")

    def test_operators_of_others(self, refused):
        model, refused = refused
        model.graph.node[0].domain = "com.evil"
        refused("operators of 'com.evil'")

    def test_functions(self, refused):
        model, refused = refused
        model.functions.add(name="f", domain="d")
        refused("operators of its own")

    def test_inner_graphs(self, refused):
        import onnx

        model, refused = refused
        inner = onnx.helper.make_graph([], "inner", [], [])
        model.graph.node.append(
            onnx.helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)
        )
        refused("inner graph")

    def test_another_network(self, refused):
        model, refused = refused
        model.graph.output[0].name = "other"
        refused("onnxruntime refuses|inputs and outputs")

    def test_without_a_description(self, refused):
        model, refused = refused
        del model.metadata_props[:]
        refused("not written by")

    def test_output_of_another_size(self, onnx_path, tmp_path):
        import onnx

        model = onnx.load(onnx_path)
        last = next(node for node in model.graph.node if node.output[0] == "chroma")
        double = onnx.helper.make_node("Concat", [last.input[0]] * 2, ["chroma"], axis=0)
        model.graph.node.remove(last)
        model.graph.node.append(double)
        del model.graph.output[0].type.tensor_type.shape.dim[:]
        for _ in range(4):
            model.graph.output[0].type.tensor_type.shape.dim.add()
        path = tmp_path / "m.onnx"
        path.write_bytes(model.SerializeToString())
        with pytest.raises(ValueError, match="other sizes"):
            load_exported(path)(np.zeros((1, 64, 64), np.float32))


def test_a_program_may_not_call_its_host(tmp_path):
    pytest.importorskip("flatbuffers", reason="stablehlo files need flatbuffers")
    from jax import export

    call = lambda x, y: jax.pure_callback(lambda x: x, x, x)  # noqa: E731
    shape = jax.ShapeDtypeStruct((1,), np.float32)
    target = "xla_ffi_python_cpu_callback"
    checks = [export.DisabledSafetyCheck.custom_call(name) for name in (target, "xla_python_cpu_callback")]
    try:
        program = export.export(jax.jit(call), disabled_checks=checks)(shape, shape).serialize()
    except (
        NotImplementedError
    ):  # JAX itself does not write such a program: one that calls a routine of LAPACK
        matrix = jax.ShapeDtypeStruct((4, 4), np.float32)
        program = export.export(jax.jit(lambda x, y: jax.scipy.linalg.schur(x)[0]))(matrix, shape).serialize()
    path = tmp_path / "m.stablehlo"
    about = ABOUT.to_json()
    safetensors.numpy.save_file({MODULE: np.frombuffer(program, np.uint8)}, path, {KEY: about})
    with pytest.raises(ValueError, match=r"its program calls .*, which is not allowed"):
        load_exported(path)
