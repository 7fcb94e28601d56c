import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from hybridvit.models import blocks
from hybridvit.models.embedding import VITS, build_classifier, own_encoder, read_vit
from hybridvit.models.hybrid_conv_vit import HybridConvViT, run


def file_of(name, **changes):
    """Random arrays by the names and shapes of google-research/vision_transformer's files."""
    v = VITS[name]
    head = v.width // v.num_heads
    shapes = {
        "cls": (1, 1, v.width),
        "embedding/kernel": (v.patch, v.patch, 3, v.width),
        "embedding/bias": (v.width,),
        "Transformer/posembed_input/pos_embedding": (1, 1 + (v.side // v.patch) ** 2, v.width),
        "Transformer/encoder_norm/scale": (v.width,),
        "Transformer/encoder_norm/bias": (v.width,),
        "head/kernel": (v.width, 10),
        "head/bias": (10,),
        "pre_logits/kernel": (v.width, v.width),
        "pre_logits/bias": (v.width,),
    }
    for i in range(v.depth):
        block = f"Transformer/encoderblock_{i}"
        for norm in ("LayerNorm_0", "LayerNorm_2"):
            shapes |= {f"{block}/{norm}/scale": (v.width,), f"{block}/{norm}/bias": (v.width,)}
        attention = f"{block}/MultiHeadDotProductAttention_1"
        for part in ("query", "key", "value"):
            shapes[f"{attention}/{part}/kernel"] = (v.width, v.num_heads, head)
            shapes[f"{attention}/{part}/bias"] = (v.num_heads, head)
        shapes[f"{attention}/out/kernel"] = (v.num_heads, head, v.width)
        shapes[f"{attention}/out/bias"] = (v.width,)
        for dense, (fan_in, fan_out) in enumerate([(v.width, v.mlp_width), (v.mlp_width, v.width)]):
            shapes[f"{block}/MlpBlock_3/Dense_{dense}/kernel"] = (fan_in, fan_out)
            shapes[f"{block}/MlpBlock_3/Dense_{dense}/bias"] = (fan_out,)
    rng = np.random.default_rng(0)
    arrays = {key: rng.normal(0, 0.3, shape).astype(np.float32) for key, shape in shapes.items()}
    return arrays | changes


def build(name, weights):
    model = build_classifier(name, dtype="float32", rngs=nnx.Rngs(0))
    nnx.update(model, jax.tree.map(jnp.asarray, weights))
    return model


def test_a_vit_of_a_file_is_that_of_pytorch(tmp_path):
    torch = pytest.importorskip("torch", reason="the reference is PyTorch's transformer: pip install torch")
    v, arrays = VITS["ViT-test"], file_of("ViT-test")
    np.savez(tmp_path / "vit.npz", **arrays)
    model = build("ViT-test", read_vit(tmp_path / "vit.npz", "ViT-test"))
    luma = np.random.default_rng(1).uniform(-1, 1, (2, v.side, v.side, 1)).astype(np.float32)

    tensors = {key: torch.tensor(x) for key, x in arrays.items()}
    rgb = torch.tensor(luma).permute(0, 3, 1, 2).expand(-1, 3, -1, -1)
    kernel = tensors["embedding/kernel"].permute(3, 2, 0, 1)
    x = torch.nn.functional.conv2d(rgb, kernel, tensors["embedding/bias"], stride=v.patch)
    x = torch.cat([tensors["cls"].expand(2, -1, -1), x.flatten(2).transpose(1, 2)], 1)
    x = x + tensors["Transformer/posembed_input/pos_embedding"]
    gelu = functools.partial(torch.nn.functional.gelu, approximate="tanh")
    for i in range(v.depth):
        block = {k.partition(f"encoderblock_{i}/")[2]: t for k, t in tensors.items() if f"_{i}/" in k}
        layer = torch.nn.TransformerEncoderLayer(
            v.width, v.num_heads, v.mlp_width, 0.0, gelu, 1e-6, batch_first=True, norm_first=True
        )
        parts = [block[f"MultiHeadDotProductAttention_1/{part}/kernel"] for part in ("query", "key", "value")]
        biases = [block[f"MultiHeadDotProductAttention_1/{part}/bias"] for part in ("query", "key", "value")]
        state = {
            "self_attn.in_proj_weight": torch.cat([p.flatten(1).T for p in parts]),
            "self_attn.in_proj_bias": torch.cat([p.flatten() for p in biases]),
            "self_attn.out_proj.weight": block["MultiHeadDotProductAttention_1/out/kernel"].flatten(0, 1).T,
            "self_attn.out_proj.bias": block["MultiHeadDotProductAttention_1/out/bias"],
            "norm1.weight": block["LayerNorm_0/scale"],
            "norm1.bias": block["LayerNorm_0/bias"],
            "norm2.weight": block["LayerNorm_2/scale"],
            "norm2.bias": block["LayerNorm_2/bias"],
            "linear1.weight": block["MlpBlock_3/Dense_0/kernel"].T,
            "linear1.bias": block["MlpBlock_3/Dense_0/bias"],
            "linear2.weight": block["MlpBlock_3/Dense_1/kernel"].T,
            "linear2.bias": block["MlpBlock_3/Dense_1/bias"],
        }
        layer.load_state_dict(state)
        x = layer.eval()(x)
    scale, bias = (tensors[f"Transformer/encoder_norm/{name}"] for name in ("scale", "bias"))
    expected = torch.nn.functional.layer_norm(x[:, 0], (v.width,), scale, bias, 1e-6)
    np.testing.assert_allclose(model(jnp.asarray(luma)), expected.detach(), atol=2e-5, rtol=1e-4)


# Parameters without the head of 1000 classes: Ti's table in Steiner et al. 2022 has 5.8 M with one of 0.2 M, B's in
# Dosovitskiy et al. 2021 has 86 M with one of 0.8 M.
@pytest.mark.parametrize(("name", "millions"), [("ViT-Ti_16", 5.5), ("ViT-B_16", 85.8)])
def test_sizes(name, millions):
    make = lambda: build_classifier(name, dtype="float32", rngs=nnx.Rngs(0))  # noqa: E731
    state = nnx.to_pure_dict(nnx.state(nnx.eval_shape(make)))
    assert abs(sum(x.size for x in jax.tree.leaves(state)) / 1e6 - millions) < 0.06


def test_any_size_is_resized():
    model = build_classifier("ViT-test", dtype="float32", rngs=nnx.Rngs(0))
    assert model(jnp.zeros((2, 50, 17, 1))).shape == (2, VITS["ViT-test"].width)


def test_files_of_something_else_are_refused_in_one_line(tmp_path):
    arrays = file_of("ViT-test")

    def write(**changes):
        kept = {key: x for key, x in (arrays | changes).items() if x is not None}
        np.savez(tmp_path / "vit.npz", **kept)
        return tmp_path / "vit.npz"

    headless = {name: None for name in arrays if name.startswith(("head/", "pre_logits/"))}
    assert read_vit(write(**headless), "ViT-test").keys() == {"cls", "embedding", "Transformer"}
    with pytest.raises(FileNotFoundError, match="no file at"):
        read_vit(tmp_path / "gone.npz", "ViT-test")
    for content in (b"", b"hello", b"PK\x03\x04"):
        (tmp_path / "bad.npz").write_bytes(content)
        with pytest.raises(ValueError, match=r"bad\.npz is no \.npz file"):
            read_vit(tmp_path / "bad.npz", "ViT-test")
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(ValueError, match=r"one\.npy is no \.npz file"):
        read_vit(tmp_path / "one.npy", "ViT-test")
    with pytest.raises(
        ValueError, match="its cls holds no floating-point numbers"
    ):  # pickled objects are not read
        read_vit(write(cls=np.full((1, 1, 24), {}, object)), "ViT-test")
    with pytest.raises(ValueError, match=r"it has no Transformer/encoderblock_1/LayerNorm_0/bias"):
        read_vit(write(**{"Transformer/encoderblock_1/LayerNorm_0/bias": None}), "ViT-test")
    with pytest.raises(ValueError, match=r"its cls is \(1, 1, 7\), not \(1, 1, 24\)"):
        read_vit(write(cls=np.zeros((1, 1, 7))), "ViT-test")
    with pytest.raises(ValueError, match="that has no Transformer/encoderblock_2/x"):
        read_vit(write(**{"Transformer/encoderblock_2/x": np.zeros(3)}), "ViT-test")
    with pytest.raises(ValueError, match="classifier 'ResNet' is not one of Lite0, Lite2, Lite4, Ti, XS"):
        build_classifier("ResNet", dtype="float32", rngs=nnx.Rngs(0))


@pytest.mark.parametrize("hint_channels", [0, 3])
def test_our_own_encoder_is_the_generators(hint_channels):
    generator = HybridConvViT(
        "test", channels=2, hint_channels=hint_channels, dtype="float32", remat=False, rngs=nnx.Rngs(3)
    )
    params = nnx.to_pure_dict(nnx.state(generator, nnx.Param))
    model = build("test", own_encoder(params, "test"))
    luma = jnp.asarray(np.random.default_rng(1).uniform(-1, 1, (2, 32, 48, 1)), jnp.float32)
    channels = [luma, jnp.zeros((2, 32, 48, hint_channels))]
    x = generator.stem(blocks.space_to_depth(jnp.concatenate(channels, -1), 4))
    x = generator.down_eighth(blocks.space_to_depth(run(generator.encoder_quarter, x), 2))
    x = generator.down_tokens(blocks.space_to_depth(run(generator.encoder_eighth, x), 2))
    expected = blocks.rms_norm(generator.transform(x)).mean((1, 2))
    np.testing.assert_allclose(model(luma), expected, atol=1e-5)


@pytest.mark.parametrize("hint_channels", [0, 3])
def test_of_a_pretrained_one_it_is_what_the_blocks_make_of_both_halves(hint_channels):
    generator = HybridConvViT(
        "Lite-test", channels=2, hint_channels=hint_channels, dtype="float32", remat=False, rngs=nnx.Rngs(3)
    )
    params = nnx.to_pure_dict(nnx.state(generator, nnx.Param))
    model = build("Lite-test", own_encoder(params, "Lite-test"))
    assert not nnx.to_pure_dict(nnx.state(model, nnx.Param))
    luma = jnp.asarray(np.random.default_rng(1).uniform(-1, 1, (2, 64, 40, 1)), jnp.float32)
    padded = jnp.pad(luma, ((0, 0), (0, 0), (0, 24), (0, 0)), mode="edge")
    tokens = generator.half(padded).tokens
    expected = blocks.rms_norm(generator.transform(tokens)).mean((1, 2))
    np.testing.assert_allclose(model(luma), expected, atol=1e-5)
