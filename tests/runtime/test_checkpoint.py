import dataclasses
import json
import logging
import shutil
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from hybridvit.runtime import mesh as mesh_lib
from hybridvit.runtime.checkpoint import Checkpoints, DamagedError, resolve

RUN = {"config": {"name": "test", "sizes": (1, 2)}, "data_position": 7, "versions": {"jax": jax.__version__}}


@jax.tree_util.register_dataclass
@dataclasses.dataclass
class State:
    step: Any
    params: Any
    ema: Any
    opt_state: Any
    discriminator: Any
    counts: Any


def make_state(seed=0, width=64, mesh=None):
    rng = np.random.default_rng(seed)
    params = {
        "stem": {
            "kernel": rng.normal(size=(3, 3, 8, width)).astype(np.float32),
            "bias": np.zeros(8, np.float32),
        },
        "block0": {"mlp": {"kernel": rng.normal(size=(width, 40)).astype(np.float32)}},
    }
    state = State(
        step=np.int32(seed),
        params=params,
        ema=jax.tree.map(lambda x: x + 1, params),
        opt_state=optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(1e-3)).init(params),
        discriminator={},
        counts=np.arange(5, dtype=np.uint32),
    )
    mesh = mesh or mesh_lib.build_mesh(4)
    state = jax.tree.map(jnp.asarray, state)
    return jax.device_put(state, mesh_lib.state_shardings(state, mesh))


def abstract(state, mesh=None):
    shardings = mesh_lib.state_shardings(state, mesh or mesh_lib.build_mesh(4))
    return jax.tree.map(lambda x, s: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=s), state, shardings)


def assert_same(a, b):
    assert jax.tree.structure(a) == jax.tree.structure(b)
    jax.tree.map(np.testing.assert_array_equal, a, b)


def largest_file(folder):
    return max((file for file in folder.rglob("*") if file.is_file()), key=lambda file: file.stat().st_size)


def flip_a_bit(folder):
    """In the middle of the largest file: within the values of an array."""
    file = largest_file(folder)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(bytes(content))


def test_state_and_run_come_back_equal(tmp_path):
    state = make_state(3)
    with Checkpoints(tmp_path, keep_last=2) as checkpoints:
        assert checkpoints.latest_step is None
        assert checkpoints.save(3, state, RUN)
        assert not checkpoints.save(3, state, RUN)
        restored, run = checkpoints.restore(None, abstract(state))
    assert_same(restored, state)
    assert run == json.loads(json.dumps(RUN))
    jax.tree.map(lambda a, b: None if a.sharding == b.sharding else pytest.fail("sharding"), restored, state)


def test_saving_survives_donation_and_changes_of_the_run(tmp_path):
    state, run = make_state(3), {"position": [1]}
    expected = jax.tree.map(np.array, state)
    advance = jax.jit(lambda state: jax.tree.map(lambda x: x * 2 + 1, state), donate_argnums=0)
    with Checkpoints(tmp_path, keep_last=2) as checkpoints:
        checkpoints.save(1, state, run)
        run["position"].append(2)
        for _ in range(5):
            state = advance(state)
        restored, saved_run = checkpoints.restore(1, abstract(state))
    assert_same(restored, expected)
    assert saved_run == {"position": [1]}


def test_checkpoint_explains_itself(tmp_path):
    state = make_state()
    with Checkpoints(tmp_path, keep_last=2) as checkpoints:
        checkpoints.save(5, state, RUN, {"psnr": 20.0})
    assert {"run", "params", "ema", "opt_state"} <= {folder.name for folder in (tmp_path / "5").iterdir()}
    assert json.loads((tmp_path / "5/run/data.json").read_text())["config"]["name"] == "test"
    arrays = json.loads((tmp_path / "5/digests/data.json").read_text())["arrays"]
    assert arrays["params/stem/kernel"][:2] == ["float32", [3, 3, 8, 64]]
    assert {"step", "counts", "ema/stem/bias", "opt_state/1/0/mu/stem/kernel"} <= arrays.keys()


def test_restores_onto_other_meshes(tmp_path):
    state = make_state(1, mesh=mesh_lib.build_mesh(8))
    meshes = [mesh_lib.build_mesh(4), mesh_lib.build_mesh(1), mesh_lib.build_mesh(1, jax.devices()[:1])]
    with Checkpoints(tmp_path, keep_last=1) as checkpoints:
        checkpoints.save(1, state, RUN)
        for mesh in meshes:
            restored, _ = checkpoints.restore(1, abstract(state, mesh))
            assert restored.params["stem"]["kernel"].sharding.mesh == mesh
            assert_same(restored, state)


def test_ema_alone_is_read_without_the_rest(tmp_path):
    state = make_state(1)
    with Checkpoints(tmp_path, keep_last=1) as checkpoints:
        checkpoints.save(1, state, RUN)
    for name in ("params", "opt_state", "loose"):
        shutil.rmtree(tmp_path / "1" / name)
    with Checkpoints(tmp_path) as checkpoints:
        ema, run = checkpoints.restore_part(None, "ema", abstract(state).ema)
        assert_same(ema, state.ema)
        assert run["data_position"] == 7
        assert checkpoints.read_run(1) == run


def test_last_and_best_are_kept(tmp_path):
    state = make_state()
    metrics = {
        1: {"psnr": 21.0},
        2: {"psnr": np.float32(25.0)},
        3: None,
        4: {"psnr": float("nan")},
        5: {"ssim": 0.9},
        6: None,
    }
    with Checkpoints(tmp_path, keep_last=2) as checkpoints:
        for step in metrics:
            checkpoints.save(step, state, RUN, metrics[step])
        checkpoints.wait()
        assert checkpoints.steps == (2, 5, 6)
        assert (checkpoints.latest_step, checkpoints.best_step) == (6, 2)
    with Checkpoints(tmp_path, keep_last=1) as checkpoints:  # the metrics are on disk too
        assert checkpoints.best_step == 2
        checkpoints.save(7, state, RUN, {"psnr": 26.0})
        checkpoints.wait()
        assert checkpoints.steps == (7,)
        assert checkpoints.best_step == 7


def test_no_metrics_means_no_best(tmp_path):
    with Checkpoints(tmp_path, keep_last=1) as checkpoints:
        for step in (1, 2):
            checkpoints.save(step, make_state(), RUN)
        checkpoints.wait()
        assert checkpoints.steps == (2,)
        assert checkpoints.best_step is None


def truncate(folder):
    file = largest_file(folder)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def remove_metadata(folder):
    (folder / "_METADATA").unlink()


def remove_data(folder):
    shutil.rmtree(folder / "d")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Orbax's reading tasks
@pytest.mark.parametrize("damage", [flip_a_bit, truncate, remove_metadata, remove_data, shutil.rmtree])
def test_damage_is_named_and_the_previous_one_taken(tmp_path, caplog, damage):
    states = {step: make_state(step) for step in (200, 400)}
    with Checkpoints(tmp_path, keep_last=2) as checkpoints:
        for step, state in states.items():
            checkpoints.save(step, state, RUN | {"step": step})
    damage(tmp_path / "400/params")
    with Checkpoints(tmp_path, keep_last=1) as checkpoints, caplog.at_level(logging.WARNING):
        state, run = checkpoints.restore(None, abstract(states[200]))
        assert_same(state, states[200])
        assert run["step"] == 200
        messages = [r.getMessage() for r in caplog.records if "damaged" in r.getMessage()]
        assert len(messages) == 1
        assert messages[0].startswith("checkpoint 400 is damaged (")
        assert messages[0].endswith("; going back to 200")
        assert "\n" not in messages[0]
        with pytest.raises(DamagedError, match="checkpoint 400 is damaged"):
            checkpoints.restore(400, abstract(states[200]))
        assert (tmp_path / "400").is_dir()
        # The run goes on from 200 and writes over the damaged one when it comes there.
        assert checkpoints.save(300, states[200], RUN | {"step": 300})
        checkpoints.wait()
        assert checkpoints.steps == (300, 400)
        assert checkpoints.restore(None, abstract(state))[1]["step"] == 300
        assert checkpoints.save(400, states[400], RUN | {"step": 400})
        assert_same(checkpoints.restore(None, abstract(state))[0], states[400])


def test_flipped_bit_is_found_and_the_array_named(tmp_path):
    state = make_state()
    with Checkpoints(tmp_path, keep_last=2) as checkpoints:
        checkpoints.save(1, state, RUN)
    flip_a_bit(tmp_path / "1/params")
    with Checkpoints(tmp_path) as checkpoints:
        with pytest.raises(
            DamagedError, match=r"^checkpoint 1 is damaged \(params/stem/kernel: digest differs\)"
        ):
            checkpoints.restore(None, abstract(state))
        ema, _ = checkpoints.restore_part(1, "ema", abstract(state).ema)
        assert_same(ema, state.ema)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("run", '"data_position": 7', '"data_position": 6'),
        ("digests", "ema/stem/bias", "ema/stem/bins"),
        ("digests", '"arrays"', '"arrans"'),
        ("run", "{", "("),
    ],
)
def test_changed_json_is_damage(tmp_path, name, old, new):
    with Checkpoints(tmp_path, keep_last=2) as checkpoints:
        checkpoints.save(1, make_state(), RUN)
    file = tmp_path / "1" / name / "data.json"
    content = file.read_text()
    assert old in content
    file.write_text(content.replace(old, new, 1))
    with Checkpoints(tmp_path) as checkpoints, pytest.raises(DamagedError, match="checkpoint 1 is damaged"):
        checkpoints.read_run(1)


def test_another_model_is_refused_in_one_line(tmp_path):
    with Checkpoints(tmp_path, keep_last=2) as checkpoints:
        checkpoints.save(1, make_state(width=64), RUN)
        checkpoints.save(2, make_state(width=64), RUN)
        with pytest.raises(ValueError, match="another model") as raised:
            checkpoints.restore(None, abstract(make_state(width=96)))
        line = str(raised.value)
        assert "ema/block0/mlp/kernel is float32[64, 40] there, float32[96, 40] here" in line
        assert "and 7 more" in line
        assert "\n" not in line
        deeper = abstract(make_state()).ema | {"block1": abstract(make_state()).ema["block0"]}
        with pytest.raises(
            ValueError, match=r"ema/block1/mlp/kernel is missing there, float32\[64, 40\] here;"
        ):
            checkpoints.restore_part(2, "ema", deeper)
        assert (
            checkpoints.restore(None, abstract(make_state()))[0].step == 0
        )  # and 2 was not held for damaged


def test_missing_checkpoints_are_one_line(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such folder"):
        Checkpoints(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()
    with Checkpoints(tmp_path, keep_last=1) as checkpoints:
        with pytest.raises(FileNotFoundError, match=r"^no checkpoint in "):
            checkpoints.read_run()
        checkpoints.save(4, make_state(), RUN)
        with pytest.raises(FileNotFoundError, match=r"^no checkpoint 3 in .*: there are 4$"):
            checkpoints.restore(3, abstract(make_state()))


def test_what_a_killed_save_left_is_cleaned_by_the_writer_only(tmp_path):
    with Checkpoints(tmp_path, keep_last=2) as checkpoints:
        checkpoints.save(1, make_state(1), RUN)
    stray = tmp_path / "2.orbax-checkpoint-tmp"
    shutil.copytree(tmp_path / "1", stray)
    (stray / "commit_success.txt").unlink(missing_ok=True)
    with Checkpoints(tmp_path) as checkpoints:
        assert checkpoints.latest_step == 1
    assert stray.exists()
    with Checkpoints(tmp_path, keep_last=2) as checkpoints:
        assert checkpoints.latest_step == 1
        checkpoints.save(2, make_state(2), RUN)
        checkpoints.wait()
        assert checkpoints.steps == (1, 2)
    assert not stray.exists()


def test_resolve(tmp_path):
    folder = tmp_path / "runs/x/checkpoints"
    (folder / "100").mkdir(parents=True)
    assert resolve(tmp_path / "runs/x") == (folder, None)
    assert resolve(str(folder)) == (folder, None)
    assert resolve(folder / "100") == (folder, 100)
    for wrong in (tmp_path / "runs", folder / "200", tmp_path / "nothing"):
        with pytest.raises(FileNotFoundError, match=rf"^no checkpoint at {wrong}: give a work folder"):
            resolve(wrong)
