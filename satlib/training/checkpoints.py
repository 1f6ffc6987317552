"""Checkpoints that survive a SIGKILL at any moment: safetensors and JSON in a folder that appears
by one rename.

Taught with lesson 42 beside ``training``, whose loop uses it.
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

TENSORS, SETTINGS, BEST = "state.safetensors", "state.json", "best.safetensors"


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
        self.folder, self.model, self.optimizer, self.accelerator = (
            Path(folder),
            model,
            optimizer,
            accelerator,
        )
        self.fingerprint, self.state_type = json.loads(json.dumps(fingerprint)), state_type

    def save(self, state) -> None:
        """Write a checkpoint; the former one goes only when the new one stands. Other processes
        wait."""
        generators = self.accelerator.gather(random_state(self.accelerator.device)[None])
        if self.accelerator.is_main_process:
            scaler = self.accelerator.scaler.state_dict() if self.accelerator.scaler else None
            settings = {"state": asdict(state), "run": self.fingerprint, "scaler": scaler}
            tensors = {
                **prefixed("model", self.model.state_dict()),
                **prefixed("optimizer", self._optimizer_tensors()),
                "generators": generators.cpu(),
            }
            write_folder(
                self.folder / f"step-{state.step:08d}-{state.epoch:04d}", tensors, settings
            )
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
        if self.accelerator.is_main_process:
            for rest in self.folder.glob("*.part"):  # what a killed process was writing
                shutil.rmtree(rest) if rest.is_dir() else rest.unlink()
        self.accelerator.wait_for_everyone()
        found = sorted(self.folder.glob("step-*"))
        if not found:  # so that a cell that was interrupted early and runs again starts from these very weights
            self.save(self.state_type())
            return self.state_type()
        settings = storage.read_json(found[-1] / SETTINGS)
        self._refuse_another_run(found[-1], settings["run"])
        tensors = read_tensors(found[-1] / TENSORS)
        self.model.load_state_dict(without("model", tensors))
        self._load_optimizer(without("optimizer", tensors))
        if self.accelerator.scaler and settings["scaler"]:
            self.accelerator.scaler.load_state_dict(settings["scaler"])
        restore_random(
            tensors["generators"][self.accelerator.process_index], self.accelerator.device
        )
        return self.state_type(**settings["state"])

    def _refuse_another_run(self, found: Path, run: dict) -> None:
        for name in sorted(run.keys() | self.fingerprint.keys()):
            there, here = run.get(name), self.fingerprint.get(name)
            if there != here:
                raise ValueError(
                    f"the checkpoint {found} belongs to another run ({name} is {there} there and {here} "
                    "here); choose another folder or delete it"
                )

    def _names(self) -> dict:
        return {parameter: name for name, parameter in self.model.named_parameters()}

    def _optimizer_tensors(self) -> dict[str, torch.Tensor]:
        names = self._names()
        return {
            f"{names[p]}|{key}": torch.as_tensor(value)
            for p, kept in self.optimizer.state.items()
            for key, value in kept.items()
            if value is not None
        }

    def _load_optimizer(self, tensors: dict[str, torch.Tensor]) -> None:
        parameters = dict(self.model.named_parameters())
        for key, value in tensors.items():
            name, _, what = key.rpartition("|")
            parameter = parameters[name]
            # Adam's step counter stays on the CPU, its moments lie beside the parameter.
            self.optimizer.state[parameter][what] = (
                value if value.ndim == 0 else value.to(parameter.device)
            )


def fingerprint(model, rows, validation, plan, accelerator) -> dict:
    """What a run is: its plan, precision and processes, its model's config, and a checksum of its
    rows."""
    mixed = accelerator.mixed_precision
    settings = {
        k: v
        for k, v in model.config.to_dict().items()
        if k not in ("_name_or_path", "transformers_version")
    }
    data = [
        [
            getattr(r.sequences, "sha256", r.sequences),
            r.ratings.tolist(),
            None if r.features is None else r.features.tolist(),
        ]
        for r in (rows, validation)
    ]
    return {
        **asdict(plan),
        "precision": {"no": "fp32"}.get(mixed, mixed),
        "processes": accelerator.num_processes,
        "model": storage.sha256_text(json.dumps(settings, sort_keys=True, default=str)),
        "data": storage.sha256_text(json.dumps(data)),
    }


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
            os.fsync(file.fileno())
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
    try:
        save_file({name: tensor.detach().contiguous() for name, tensor in tensors.items()}, path)
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
    torch.set_rng_state(
        state[:size].cpu().clone()
    )  # torch reads past a view that begins inside another tensor
    if device.type == "cuda":
        torch.cuda.set_rng_state(state[size:].cpu().clone(), device)


def prefixed(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The same tensors under names that start with ``prefix/``."""
    return {f"{prefix}/{name}": tensor for name, tensor in tensors.items()}


def without(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors whose names start with ``prefix/``, without it."""
    return {
        name.removeprefix(f"{prefix}/"): t
        for name, t in tensors.items()
        if name.startswith(f"{prefix}/")
    }
