"""The issue forms: legal by GitHub's rules for forms, and they ask for what the kit can print."""

import re

import pytest
import yaml
from typer.main import get_command

from satlib.kit import cli

KINDS = {"markdown", "input", "textarea", "dropdown", "checkboxes"}
ATTRIBUTES = {
    "markdown": {"value"},
    "input": {"label", "description", "placeholder", "value"},
    "textarea": {"label", "description", "placeholder", "value", "render"},
    "dropdown": {"label", "description", "multiple", "options", "default"},
    "checkboxes": {"label", "description", "options"},
}


def form(path) -> dict:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def folder(root):
    return root / ".github" / "ISSUE_TEMPLATE"


@pytest.fixture(scope="module")
def forms(folder) -> dict[str, dict]:
    return {path.name: form(path) for path in sorted(folder.iterdir()) if path.name != "config.yml"}


def test_a_blank_issue_is_not_offered_and_no_address_is_named(folder):
    assert form(folder / "config.yml") == {"blank_issues_enabled": False}
    assert not any("http" in path.read_text(encoding="utf-8") for path in folder.iterdir())


def test_forms_are_legal(forms):
    assert len(forms) == 2
    for name, one in forms.items():
        assert one.keys() <= {"name", "description", "title", "labels", "body"} and name.endswith(
            ".yml"
        )
        assert all(
            isinstance(one[key], str) and one[key] for key in ("name", "description", "title")
        )
        assert any(part["type"] != "markdown" for part in one["body"])
        ids = [part["id"] for part in one["body"] if part["type"] != "markdown"]
        labels = [part["attributes"]["label"] for part in one["body"] if part["type"] != "markdown"]
        assert len(set(ids)) == len(ids) and len(set(labels)) == len(labels)
        assert all(re.fullmatch(r"[\w-]+", found) for found in ids)


def test_parts_of_forms_are_legal(forms):
    for part in (part for one in forms.values() for part in one["body"]):
        assert part["type"] in KINDS and part.keys() <= {"type", "id", "attributes", "validations"}
        assert part["attributes"].keys() <= ATTRIBUTES[part["type"]]
        assert part.get("validations", {}).keys() <= {"required"}
        if part["type"] == "dropdown":
            options = part["attributes"]["options"]
            assert (
                len(options) > 1
                and len(set(options)) == len(options)
                and all(type(x) is str for x in options)
            )


def test_the_fault_form_insists_on_what_a_fault_needs(forms):
    required = {
        part["id"]
        for part in forms["1-fault.yml"]["body"]
        if part.get("validations", {}).get("required")
    }
    assert required >= {"happened", "steps", "doctor", "versions"}


def test_every_form_asks_for_the_commands_that_exist(forms):
    commands = get_command(cli.app).commands
    for one in forms.values():
        named = set(
            re.findall(r"`!?(?:\.venv/bin/)?satlib (\w+)`", yaml.safe_dump(one, width=10**6))
        )
        assert named == {"doctor", "versions"} and named <= commands.keys()
