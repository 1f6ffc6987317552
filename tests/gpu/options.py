"""What a run of the script was asked for, and what its parts share of it."""

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENCODER = "encoder"  # folder of the carried encoder, in the folder that prepare.py made
SITE = "site"  # and of the packages
ABOUT = "about.json"  # what was done to the weights, beside them
# Nothing is fetched, and no bars are drawn.
QUIET = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "SATLIB_QUIET": "1"}


@dataclass(frozen=True)
class Options:
    """output: folder of what is written. carried: folder that ``prepare`` made, or nothing.
    minutes: for all parts together. seeds: of the headline model. tiny: few rows and a tiny random
    encoder. deadline: when the part at work shall have ended, as ``time.time`` counts. precision,
    folder: of a process that a part starts."""

    output: str = "build/gpu"
    carried: str = ""
    minutes: float = 8.0
    seeds: int = 5
    tiny: bool = False
    deadline: float = 0.0
    precision: str = ""
    folder: str = ""

    @property
    def encoder(self) -> str:
        """The encoder, as ``load_encoder`` takes it."""
        if self.tiny:
            return str(Path(self.output) / "tiny-encoder")
        if self.carried:
            return str(Path(self.carried) / ENCODER)
        return "embedded"

    def command(self, part: str, **changes) -> list[str]:
        """The arguments of Python that do a part with these options and some others."""
        changed = replace(self, **changes)
        return ["-m", "tests.gpu.parts", part, json.dumps(asdict(changed))]

    @property
    def places(self) -> list[str]:
        """Folders that the parts import from: the checkout, and the carried packages."""
        places = [str(ROOT)]
        if self.carried:
            places.append(str(Path(self.carried).resolve() / SITE))
        return places

    def environment(self) -> dict[str, str]:
        """The environment of a part."""
        places = self.places
        if os.environ.get("PYTHONPATH"):
            places.append(os.environ["PYTHONPATH"])
        return os.environ | QUIET | {"PYTHONPATH": os.pathsep.join(places)}


def read(text: str) -> Options:
    """The options from the arguments of ``command``."""
    return Options(**json.loads(text))
