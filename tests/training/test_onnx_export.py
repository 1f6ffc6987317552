"""Twin of lesson 45's ``export``: what leaves PyTorch gives the same scores, and 8 bits cost
little."""

import importlib.util
import sys

import numpy as np
import pytest
import tiny
import torch

from satlib.models import satisfaction_model
from satlib.training import onnx_export

MISSING = [
    name for name in ("onnx", "onnxscript", "onnxruntime") if importlib.util.find_spec(name) is None
]
with_onnx = pytest.mark.skipif(
    bool(MISSING), reason=f"{MISSING} not installed; {onnx_export.REMEDY}"
)


@pytest.fixture(scope="module")
def regression(tmp_path_factory):
    model = tiny.model()
    return model, onnx_export.export_onnx(model, tmp_path_factory.mktemp("onnx"))


@with_onnx
def test_the_scores_are_those_of_torch_for_any_batch_and_length(regression):
    model, path = regression
    scorer = onnx_export.OnnxScorer(path)
    for n, batch_size in ((1, 1), (37, 8), (5, 32)):
        rows = tiny.rows(n, seed=n)
        wanted = satisfaction_model.run(model, rows.sequences)
        np.testing.assert_allclose(
            scorer.run(rows.sequences, batch_size=batch_size), wanted, atol=1e-4
        )
    long = [list(range(5, 60)), [7]]
    np.testing.assert_allclose(scorer.run(long), satisfaction_model.run(model, long), atol=1e-4)


@with_onnx
def test_padding_does_not_change_a_score(regression):
    scorer, rows = onnx_export.OnnxScorer(regression[1]), tiny.rows(9)
    one_by_one = np.concatenate([scorer.run([sequence]) for sequence in rows.sequences])
    np.testing.assert_allclose(scorer.run(rows.sequences), one_by_one, atol=1e-5)


@with_onnx
@pytest.mark.parametrize("head, features", [("classes", 3), ("cumulative", 0), ("regression", 2)])
def test_heads_and_features_are_kept(head, features, tmp_path):
    model, rows = tiny.model(head=head, features=features), tiny.rows(7, features=features)
    scorer = onnx_export.OnnxScorer(onnx_export.export_onnx(model, tmp_path))
    wanted = satisfaction_model.run(model, rows.sequences, rows.features)
    found = scorer.run(rows.sequences, rows.features)
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, atol=1e-4)


@with_onnx
def test_eight_bits_are_smaller_and_near(regression, capsys):
    model, path = regression
    small = onnx_export.quantise(path)
    rows = tiny.rows(64)
    wanted, found = (
        satisfaction_model.run(model, rows.sequences),
        onnx_export.OnnxScorer(small).run(rows.sequences),
    )
    difference = float(np.sqrt(np.mean((found - wanted) ** 2)))
    print(f"RMSE between 8 and 32 bits on a tiny random model: {difference:.4f}")
    assert 0 < difference < 0.1 * max(1.0, np.std(wanted))
    assert small.stat().st_size < path.stat().st_size
    assert sorted(p.name for p in path.parent.iterdir()) == [
        "model-int8.onnx",
        "model.onnx",
        "onnx.json",
    ]


@with_onnx
def test_what_is_not_a_model_or_does_not_fit_is_refused(regression, tmp_path):
    _, path = regression
    with pytest.raises(ValueError, match="0 texts with 0 behaviour features; give at least one"):
        onnx_export.OnnxScorer(path).run([])
    with pytest.raises(ValueError, match="1 texts with 2 behaviour features"):
        onnx_export.OnnxScorer(path).run([[1, 2]], np.zeros((1, 2)))
    with pytest.raises(FileNotFoundError, match=r"no file .*model.onnx; write it with export_onnx"):
        onnx_export.quantise(tmp_path / "model.onnx")
    (tmp_path / "onnx.json").write_text('{"pad_id": 0, "features": 0}')
    (tmp_path / "model.onnx").write_bytes(b"not a graph")
    with pytest.raises(ValueError, match="is not a model for ONNX Runtime"):
        onnx_export.OnnxScorer(tmp_path / "model.onnx")


@with_onnx
def test_exporting_leaves_the_model_as_it_was(tmp_path):
    model = tiny.model()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    onnx_export.export_onnx(model, tmp_path)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_missing_package_is_named_with_the_remedy(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "onnxscript" else object()
    )
    with pytest.raises(
        ImportError, match=r"onnxscript not installed; pip install 'satlib\[onnx\]'"
    ):
        onnx_export.export_onnx(tiny.model(), tmp_path)
