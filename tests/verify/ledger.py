"""What a verification found: how many numbers agree, which do not, and which nobody recomputed."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from . import page
from .page import Number

VALUE_WITHIN = 1e-3  # of the recomputed metric
ENDS_WITHIN = 0.01  # of the recomputed ends of an interval, and of a paired difference


@dataclass
class Section:
    """A section of the page. checked: how many numbers were compared; furthest_value, furthest_end:
    their largest deviations, 0 where there were none. wrong: a sentence for each fault. excluded:
    what was not recomputed, and why."""

    name: str
    checked: int = 0
    furthest_value: float = 0.0
    furthest_end: float = 0.0
    wrong: list[str] = field(default_factory=list)
    excluded: list[str] = field(default_factory=list)

    def compare(
        self,
        what: str,
        shown: Number | None,
        recomputed: Sequence[float] | float,
        within: float = VALUE_WITHIN,
    ) -> None:
        """A printed number (None: "not defined") beside the recomputed value, or value, low and
        high. What rounding to the printed digits changes is no fault."""
        if isinstance(recomputed, float):
            recomputed = (recomputed, math.nan, math.nan)
        value, low, high = recomputed
        undefined = [shown is None, math.isnan(value)]
        if any(undefined):
            self.expect(f"{what}: whether it is defined", not undefined[0], not undefined[1])
            return
        off = abs(shown.value - value)
        faults = self._faults("its value", off, max(within, shown.half_unit))
        self.furthest_value = max(self.furthest_value, off)
        if not math.isnan(shown.low):
            for name, end, other in (("low", shown.low, low), ("high", shown.high, high)):
                off = abs(end - other)
                faults += self._faults(f"its {name} end", off, max(ENDS_WITHIN, shown.half_unit))
                self.furthest_end = max(self.furthest_end, off)
        if faults:
            recomputed = Number(value, 0, low, high)
            self.fail(f"{what} is {shown}, recomputed {recomputed}; {' and '.join(faults)}")

    def _faults(self, name: str, off: float, within: float) -> list[str]:
        """Count a number, and say what is wrong with it; an off of nan is wrong, too."""
        self.checked += 1
        if off <= within + 1e-9:
            return []
        return [f"{name} is off by {off:.2g}"]

    def expect(self, what: str, said: object, recomputed: object) -> None:
        """Something that must be the same to the letter."""
        self.checked += 1
        if said != recomputed:
            self.fail(f"{what}: the page says {said}, the records say {recomputed}")

    def fail(self, sentence: str) -> None:
        """Note one sentence on what is wrong."""
        self.wrong.append(sentence)

    def exclude(self, what: str, why: str) -> None:
        """Note what was not recomputed, and why."""
        self.excluded.append(f"{what}: {why}")


class Sentence:
    """A sentence with numbers, of which each must be compared or named as excluded. What was looked
    at is taken out of it; ``end`` fails where a number is left."""

    def __init__(self, subject: str, text: str, section: Section):
        self.subject = subject
        self.whole = text
        self.text = text
        self.section = section

    def take(self, pattern: str, exactly: int | None = None) -> list[re.Match]:
        """All places of a pattern, in which {n} stands for a number, taken out of the text. Fails
        where there are not ``exactly`` so many, or none."""
        found = places(pattern, self.text)
        self.text = re.sub(with_numbers(pattern), " ~ ", self.text)
        if len(found) == exactly or (found and exactly is None):
            return found
        wanted = "some" if exactly is None else exactly
        self.section.fail(
            f"{self.subject}: {len(found)} places say {pattern!r}, not {wanted}; "
            "teach make verify what the sentence says now"
        )
        return []

    def compare(
        self,
        what: str,
        shown: str,
        recomputed: Sequence[float] | float,
        within: float = VALUE_WITHIN,
        unit: float = 1.0,
    ) -> None:
        """A printed number beside the recomputed one; see ``Section.compare`` and
        ``page.number``."""
        where = f"{self.subject}: {what}"
        self.section.compare(where, page.number(shown, unit), recomputed, within)

    def expect(self, what: str, said: object, recomputed: object) -> None:
        """Something that must be the same to the letter, but for the commas of thousands."""
        said = str(said).replace(",", "")
        self.section.expect(f"{self.subject}: {what}", said, str(recomputed))

    def exclude(self, pattern: str, why: str) -> None:
        """Take out what nobody can recompute, and name it."""
        for match in self.take(pattern):
            self.section.exclude(f"{self.subject}, {match[0].strip()!r}", why)

    def end(self) -> None:
        """Fail where a number is left that nothing looked at."""
        for number in page.STANDING.findall(self.text):
            self.section.fail(f"{self.subject}: nothing recomputes {number} in {self.whole!r}")


def with_numbers(pattern: str) -> str:
    """A pattern in which {n} stands for a number."""
    return pattern.replace("{n}", page.NUMBER)


def places(pattern: str, text: str) -> list[re.Match]:
    """The places of a text that a pattern fits, in which {n} stands for a number."""
    return list(re.finditer(with_numbers(pattern), text))
