"""Twin of lesson 45: operations counted by the profiler, Amdahl by simulation, positions by
hand."""

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from satlib import storage
from satlib.encoding import tokens
from satlib.models import satisfaction_model
from satlib.training import speed


def test_training_flops_are_those_that_pytorch_counts():
    model, _ = satisfaction_model.build()
    model.encoder.set_attn_implementation("eager")
    ids = torch.randint(5, 30000, (3, 24))
    with FlopCounterMode(display=False) as counter:
        model.train()(ids, torch.ones_like(ids), labels=torch.ones(3)).loss.backward()
    assert counter.get_total_flops() == pytest.approx(speed.training_flops([24] * 3), rel=0.001)


@pytest.mark.parametrize("share, factor", [(0.5, 2), (0.16, 6), (0, 9), (1, 4), (0.3, 0.5)])
def test_amdahl_is_old_time_over_new(share, factor):
    old = np.array([share, 1 - share])
    assert speed.amdahl(share, factor) == pytest.approx(old.sum() / (old / [factor, 1]).sum())


@pytest.mark.parametrize("share, factor", [(1.1, 2), (-0.1, 2), (0.5, 0)])
def test_amdahl_refuses(share, factor):
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\]"):
        speed.amdahl(share, factor)


def test_positions_by_hand():
    assert speed.positions([3, 5], "longest", longest=8) == 16
    assert (
        speed.positions([3, 5], "shuffled", batch_size=2) == 10
        and speed.positions([3, 5], "shuffled", 1) == 8
    )
    assert speed.positions([1, 9, 1, 9], "by length", batch_size=2) == 20
    assert (
        speed.positions([1, 1, 1, 9], "by tokens", batch_size=2) == 12
    )  # a budget of 6: three short ones, one long
    with pytest.raises(ValueError, match="unknown way 'sorted'"):
        speed.positions([1], "sorted")


def test_every_way_pads_less_than_the_one_before():
    lengths = np.random.default_rng(0).integers(10, 128, 2000)
    made = [speed.positions(lengths, way) for way in speed.WAYS]
    assert made[0] > 3 * made[1] and made[1] > 1.5 * made[2] and min(made) >= lengths.sum()
    assert abs(made[3] / made[2] - 1) < 0.05


def test_a_race_takes_turns(monkeypatch):
    order, clock = [], iter(np.arange(0, 100, 0.5))
    monkeypatch.setattr(speed.time, "perf_counter", lambda: next(clock))
    found = speed.race(
        {"a": lambda: order.append("a"), "b": lambda: (order.append("b"), next(clock))}, rounds=2
    )
    assert order == ["a", "b"] * 3 and found == {"a": [0.5, 0.5], "b": [1.0, 1.0]}
    assert speed.ratio(found, "b", "a") == 2


def test_the_peak_is_operations_over_the_best_time(monkeypatch):
    times = iter([3.0, 2.0, 4.0])
    monkeypatch.setattr(speed, "seconds", lambda task: next(times))
    assert speed.matrix_peak(torch.float32, 100, 3) == pytest.approx(2 * 100**3 / 2.0 / 1e9)


def test_tables_are_read_and_compared(tmp_path):
    rows = [{"system": "satlib"}, {"system": "other"}]
    storage.write_json(tmp_path / "training.json", rows)
    assert speed.bench(tmp_path, "training") == rows
    paces = {
        "satlib": (30.0, 10.0, 40.0),
        "other": (10.0, 10.0, 8.0),
    }  # of three rounds, whose median ratio is 3
    storage.write_json(
        tmp_path / "training-rounds.json",
        {
            "rounds": {
                name: [{"examples": 4 * pace, "seconds": 4.0} for pace in found]
                for name, found in paces.items()
            }
        },
    )
    found = speed.rounds(tmp_path, "training")
    assert speed.ratios(found, "other") == [3.0, 1.0, 5.0] and speed.times_as_fast(found) == {
        "other": 3.0
    }
    with pytest.raises(ValueError, match="unknown table 'growth'"):
        speed.rounds(tmp_path, "growth")
    with pytest.raises(ValueError, match="unknown table 'trainings'"):
        speed.bench(tmp_path, "trainings")


@pytest.mark.parametrize("power", [0.5, 1, 2])
def test_the_exponent_of_a_power_is_found(power):
    sizes = np.array([1, 3, 10, 30])
    assert speed.exponent(sizes, 7 * sizes**power) == pytest.approx(power)


def test_tokens_flops_grow_with_the_square_of_length_at_last():
    assert speed.exponent([10**5, 10**6], tokens.flops(np.array([10**5, 10**6]))) > 1.9
