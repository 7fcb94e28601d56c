import pytest

from hybridvit.training.growing import Stage
from hybridvit.training.phases import Phase, phase_at, plan_phases


def test_a_plain_run_is_one_phase(tiny_config):
    assert plan_phases(tiny_config) == (Phase(0, Stage(0, 32, 0), False),)


def test_restoring_comes_first_and_growing_goes_on_beside_it(tiny_config):
    tiny_config.restoration.pretrain_steps = 3
    tiny_config.growing.update({"first_side": 16, "steps": 2})
    phases = plan_phases(tiny_config)
    assert [(phase.start, phase.stage.side, phase.restoring) for phase in phases] == [
        (0, 16, True),
        (2, 32, True),
        (3, 32, False),
    ]
    found = [phases.index(phase_at(phases, step)) for step in range(6)]
    assert found == [0, 0, 1, 2, 2, 2]


@pytest.mark.parametrize("field", ["restoration.weight", "data.unlabeled_batch_size"])
def test_without_what_restores_colours_are_learnt_at_once(tiny_config, field):
    tiny_config.restoration.pretrain_steps = 3
    tiny_config.update_from_flattened_dict({field: 0})
    assert [phase.restoring for phase in plan_phases(tiny_config)] == [False]
