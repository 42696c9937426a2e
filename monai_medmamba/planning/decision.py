"""One decision of a plan, and how decisions are taken: by a rule, unless a flag says otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Choices", "Decision"]


@dataclass(frozen=True)
class Decision:
    """What a plan decides, and why.

    Args:
        name: what is decided.
        value: the outcome, a JSON value; where a GPU and a CPU differ, a dict with the keys ``gpu`` and ``cpu``.
        reason: a sentence.
        by: ``rule``, or ``flag`` where the user decided.

    Example:
        >>> Decision("seed", 0, "Any seed serves.").by
        'rule'
    """

    name: str
    value: Any
    reason: str
    by: str = "rule"


class Choices:
    """The decisions so far.

    Args:
        flags: what the user decides, by the decisions' names; None leaves a decision to its rule.

    Example:
        >>> choices = Choices({"seed": 7})
        >>> choices.settle("seed", 0, "Any seed serves.")
        7
        >>> choices.made[0].reason
        'Asked for. By rule it would be 0: Any seed serves.'
    """

    def __init__(self, flags: Mapping[str, Any]) -> None:
        self.made: list[Decision] = []
        self._flags = {name: value for name, value in flags.items() if value is not None}

    def settle(self, name: str, value: Any, reason: str) -> Any:
        """Takes a decision.

        Args:
            name: what is decided.
            value: what the rule says.
            reason: why it says so.

        Returns:
            The outcome: the flag's, if there is one.
        """
        if name not in self._flags:
            self.made.append(Decision(name, value, reason))
            return value
        asked = self._flags.pop(name)
        if isinstance(value, dict) and value.keys() == {"gpu", "cpu"} and not isinstance(asked, dict):
            asked = {"gpu": asked, "cpu": asked}
        self.made.append(Decision(name, asked, f"Asked for. By rule it would be {value}: {reason}", "flag"))
        return asked

    @property
    def unused(self) -> list[str]:
        """Flags that no decision has asked about."""
        return sorted(self._flags)
