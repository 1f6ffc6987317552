"""The order of the layers is read from pyproject.toml as it is written there."""

import pytest

from satlib.kit import course, import_contract


def contract(tmp_path, layers: str):
    (tmp_path / "satlib").mkdir()
    (tmp_path / "satlib" / "runtime.py").touch()
    project = tmp_path / "pyproject.toml"
    project.write_text(f"[[tool.importlinter.contracts]]\nlayers = [{layers}]\n")
    return project


def test_layers_come_from_the_ground_up_without_the_marks_of_the_contract(tmp_path):
    project = contract(tmp_path, '"kit", "(trust)", "losses | encoding", "data", "runtime"')
    names = ["runtime", "data", "losses", "encoding", "trust", "kit"]
    assert import_contract.layers(project) == names
    assert import_contract.folders(project) == names[1:]
    assert import_contract.ground(project) == ["runtime"]


def test_every_module_has_its_layer():
    layers = import_contract.layers()
    for module in course.modules():
        assert module.split(".")[0] in layers, module


def test_ground_and_folders_are_those_of_the_tree(root):
    assert {"runtime", "storage", "records", "plots"} <= set(import_contract.ground())
    for name in import_contract.ground():
        assert (root / "satlib" / f"{name}.py").is_file()
    there = [path.parent.name for path in (root / "satlib").glob("*/__init__.py")]
    assert set(there) <= set(import_contract.folders())


def test_without_a_checkout_there_is_no_contract(tmp_path):
    with pytest.raises(FileNotFoundError, match="is known in a checkout only"):
        import_contract.layers(tmp_path / "pyproject.toml")
