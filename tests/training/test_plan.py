"""What a plan may hold, and the learning rate of each update."""

from dataclasses import replace

import numpy as np
import pytest
from training_script import quick_plan

from satlib.training.plan import Plan, rate_at


@pytest.mark.parametrize("warmup, total", [(0.0, 10), (0.1, 10), (0.25, 37), (0.1, 1), (0.99, 5)])
def test_learning_rate_is_a_tent(warmup, total):
    wanted = quick_plan(warmup=warmup, learning_rate=0.02)
    warm = int(np.ceil(warmup * total))
    corners, heights = ([-1, warm, total], [0, 0.02, 0]) if warm else ([0, total], [0.02, 0])
    expected = np.interp(np.arange(total), corners, heights)
    found = [rate_at(step, total, wanted) for step in range(total)]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert min(found) > 0 and max(found) <= 0.02


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"optimizer": "adam"}, "unknown optimizer 'adam'; choose one of adamw, sgd"),
        ({"precision": "int8"}, "unknown precision 'int8'; choose one of auto, fp32, bf16, fp16"),
        ({"metric": "bleu"}, "unknown metric 'bleu'; choose one of rmse"),
        ({"epochs": 0}, "epochs = 0; it must be"),
        ({"batch_size": 0}, "batch_size = 0"),
        ({"accumulate": 0}, "accumulate = 0"),
        ({"save_every": 0}, "save_every = 0"),
        ({"epochs": 1.5}, "epochs = 1.5; it must be a whole number"),
        ({"epochs": "many"}, "epochs = many; it must be a whole number"),
        ({"recompute": 5}, "recompute = 5; it must be True or False"),
        ({"patience": -1}, "patience = -1"),
        ({"seed": -1}, "seed = -1"),
        ({"learning_rate": 0}, "learning_rate = 0; it must be a number above 0"),
        ({"learning_rate": 1.0}, "learning_rate"),
        ({"learning_rate": float("nan")}, "learning_rate = nan"),
        ({"warmup": 1.0}, "warmup = 1.0"),
        ({"warmup": -0.1}, "warmup = -0.1"),
        ({"clip": 0}, "clip = 0"),
        ({"weight_decay": -1}, "weight_decay = -1"),
    ],
)
def test_plan_refuses(changes, words):
    with pytest.raises(ValueError, match=words) as error:
        quick_plan(**changes)
    assert "\n" not in str(error.value)


def test_a_plan_holds_what_its_fields_say():
    plan = Plan(epochs=2.0, batch_size=np.int64(8), learning_rate="1e-3")
    assert plan == Plan(epochs=2, batch_size=8, learning_rate=1e-3)
    assert type(plan.epochs) is int and type(plan.learning_rate) is float
    assert Plan(**vars(plan)) == plan
    assert replace(plan, epochs=5).epochs == 5
    with pytest.raises(ValueError, match="epochs = 0"):
        replace(plan, epochs=0)
