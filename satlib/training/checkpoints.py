"""Checkpoints that survive a SIGKILL at any moment: safetensors and JSON in a folder that appears
by one rename.

Taught with lesson 42 beside ``loop``, which uses it.
"""

import errno
import json
import os
import re
import shutil
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from satlib import storage

TENSORS = "state.safetensors"
SETTINGS = "state.json"
BEST = "best.safetensors"


class Checkpoints:
    """Writes and reads the checkpoints of one run in ``folder``; only the newest and the best
    weights are kept.

    model, optimizer: the bare ones, not wrapped for several processes. fingerprint: what the run is
    (plan, data, model); a checkpoint with another fingerprint is refused. state_type: the dataclass
    of the loop's state.
    """

    def __init__(
        self, folder: str | Path, model, optimizer, accelerator, fingerprint: dict, state_type: type
    ):
        self.folder = Path(folder)
        self.model = model
        self.optimizer = optimizer
        self.accelerator = accelerator
        # As JSON has it, so that it equals what a checkpoint gives back.
        self.fingerprint = json.loads(json.dumps(fingerprint))
        self.state_type = state_type

    def save(self, state) -> None:
        """Write a checkpoint; the former one goes only when the new one stands. Other processes
        wait."""
        generators = self.accelerator.gather(random_state(self.accelerator.device)[None])
        if self.accelerator.is_main_process:
            scaler = self.accelerator.scaler  # of the losses in fp16; else None
            settings = {
                "state": asdict(state),
                "run": self.fingerprint,
                "scaler": scaler.state_dict() if scaler else None,
            }
            tensors = prefixed("model", self.model.state_dict())
            tensors |= prefixed("optimizer", self._optimizer_tensors())
            tensors["generators"] = generators.cpu()
            name = f"step-{state.step:08d}-{state.epoch:04d}"
            write_folder(self.folder / name, tensors, settings)
        self.accelerator.wait_for_everyone()

    def save_best(self) -> None:
        """Keep the present weights as the best so far."""
        if self.accelerator.is_main_process:
            with storage.replacing(self.folder / BEST) as temporary:
                write_tensors(self.model.state_dict(), temporary)

    def restore_best(self) -> None:
        """Put the best weights into the model."""
        self.accelerator.wait_for_everyone()
        self.model.load_state_dict(read_tensors(self.folder / BEST))

    def resume(self):
        """Restore model, optimizer and random state from the newest checkpoint; return its State.

        Where there is none, the beginning is written as the first checkpoint.
        """
        # A half-written "step-....part" matches "step-*" and could pass for the newest.
        if self.accelerator.is_main_process:
            self._remove_unfinished()
        self.accelerator.wait_for_everyone()
        kept = sorted(self.folder.glob("step-*"))
        if not kept:
            # A cell that is interrupted early and runs again must start from these very weights.
            beginning = self.state_type()
            self.save(beginning)
            return beginning
        newest = kept[-1]  # numbers in names are padded with zeros, so they sort
        settings = storage.read_json(newest / SETTINGS)
        self._refuse_another_run(newest, settings["run"])
        tensors = read_tensors(newest / TENSORS)
        self.model.load_state_dict(without("model", tensors))
        self._load_optimizer(without("optimizer", tensors))
        if self.accelerator.scaler and settings["scaler"]:
            self.accelerator.scaler.load_state_dict(settings["scaler"])
        generators = tensors["generators"][self.accelerator.process_index]
        restore_random(generators, self.accelerator.device)
        return self.state_type(**settings["state"])

    def _remove_unfinished(self) -> None:
        """Remove what a killed process was writing."""
        for rest in self.folder.glob("*.part"):
            if rest.is_dir():
                shutil.rmtree(rest)
            else:
                rest.unlink()

    def _refuse_another_run(self, newest: Path, run: dict) -> None:
        for name in sorted(run.keys() | self.fingerprint.keys()):
            there = run.get(name)
            here = self.fingerprint.get(name)
            if there != here:
                raise ValueError(
                    f"the checkpoint {newest} belongs to another run ({name} is {there} there and "
                    f"{here} here); choose another folder or delete it"
                )

    def _optimizer_tensors(self) -> dict[str, torch.Tensor]:
        """What the optimizer keeps of each parameter, under names like ``head.weight|exp_avg``."""
        names = {parameter: name for name, parameter in self.model.named_parameters()}
        tensors = {}
        for parameter, kept in self.optimizer.state.items():
            for key, value in kept.items():
                if value is not None:
                    tensors[f"{names[parameter]}|{key}"] = torch.as_tensor(value)
        return tensors

    def _load_optimizer(self, tensors: dict[str, torch.Tensor]) -> None:
        parameters = dict(self.model.named_parameters())
        for label, value in tensors.items():
            name, _, key = label.rpartition("|")
            parameter = parameters[name]
            # Adam's step counter stays on the CPU, its moments lie beside the parameter.
            if value.ndim > 0:
                value = value.to(parameter.device)
            self.optimizer.state[parameter][key] = value


class Unsaved:
    """Stands in for Checkpoints where a run has no folder: the best weights are kept in memory, and
    nothing else."""

    def __init__(self, model, state_type: type):
        self.model = model
        self.state_type = state_type
        self.best: dict[str, torch.Tensor] = {}

    def resume(self):
        """The State of a beginning."""
        return self.state_type()

    def save(self, state) -> None:
        """Nothing: the run cannot be resumed."""

    def save_best(self) -> None:
        """Keep a copy of the present weights on the CPU."""
        self.best = {
            name: weight.detach().to("cpu", copy=True)
            for name, weight in self.model.state_dict().items()
        }

    def restore_best(self) -> None:
        """Put the best weights into the model."""
        self.model.load_state_dict(self.best)


def fingerprint(model, rows, validation, plan, accelerator) -> dict:
    """What a run is: its plan, precision and processes, its model's config, and a checksum of its
    rows. validation: may be None."""
    settings = model.config.to_dict()
    for name in ("_name_or_path", "transformers_version"):
        settings.pop(name, None)
    data = [contents(part) for part in (rows, validation) if part is not None]
    mixed = accelerator.mixed_precision
    return {
        **asdict(plan),
        "precision": "fp32" if mixed == "no" else mixed,
        "processes": accelerator.num_processes,
        "model": storage.sha256_text(json.dumps(settings, sort_keys=True, default=str)),
        "data": storage.sha256_text(json.dumps(data)),
    }


def contents(rows) -> list:
    """Token ids (of a store: its checksum), ratings and features, as JSON can hold them."""
    sequences = getattr(rows.sequences, "sha256", rows.sequences)
    features = None if rows.features is None else rows.features.tolist()
    return [sequences, rows.ratings.tolist(), features]


def write_folder(folder: Path, tensors: dict[str, torch.Tensor], settings: dict) -> None:
    """Write tensors and settings into a new folder that appears whole or not at all; then drop the
    older ones."""
    part = folder.with_name(folder.name + ".part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        write_tensors(tensors, part / TENSORS)
        storage.write_json(part / SETTINGS, settings)
        with open(part / TENSORS, "rb+") as file:
            os.fsync(file.fileno())  # on the disk before the name says so
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(part, folder)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise type(error)(
            error.errno,
            f"cannot write the checkpoint {folder} ({error.strerror or error}); free some "
            "space or choose another folder, then start again: the run resumes",
        ) from error
    for older in folder.parent.glob("step-*"):
        if older != folder and not older.name.endswith(".part"):
            shutil.rmtree(older)


def write_tensors(tensors: dict[str, torch.Tensor], path: Path) -> None:
    """Write a safetensors file; a full disk is an OSError, as with any other file."""
    whole = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
    try:
        save_file(whole, path)
    except SafetensorError as error:
        number = re.search(r"os error (\d+)", str(error))
        code = int(number[1]) if number else errno.EIO
        raise OSError(code, os.strerror(code)) from error


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Read a safetensors file; a broken one is named together with the remedy."""
    try:
        return load_file(path)
    except Exception as error:  # safetensors raises its own types, and OSError for a missing file
        raise ValueError(
            f"the checkpoint {path} cannot be read ({error}); delete its folder, {path.parent}, "
            "and start again"
        ) from error


def random_state(device: torch.device) -> torch.Tensor:
    """State of the generators that training draws from (dropout), as one uint8 tensor on the
    device."""
    states = [torch.get_rng_state()]
    if device.type == "cuda":
        states.append(torch.cuda.get_rng_state(device))
    return torch.cat(states).to(device)


def restore_random(state: torch.Tensor, device: torch.device) -> None:
    """Put back what ``random_state`` gave."""
    size = len(torch.get_rng_state())
    # Copies: torch reads past a view that begins inside another tensor.
    torch.set_rng_state(state[:size].cpu().clone())
    if device.type == "cuda":
        torch.cuda.set_rng_state(state[size:].cpu().clone(), device)


def prefixed(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The same tensors under names that start with ``prefix/``."""
    return {f"{prefix}/{name}": tensor for name, tensor in tensors.items()}


def without(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors whose names start with ``prefix/``, without it."""
    start = f"{prefix}/"
    chosen = [name for name in tensors if name.startswith(start)]
    return {name.removeprefix(start): tensors[name] for name in chosen}
