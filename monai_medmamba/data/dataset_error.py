"""The one error of this room: a data set that must not be trained on as it stands."""

from collections.abc import Sequence

SHOWN = 20


class DatasetError(ValueError):
    """A data set is refused; the message says what was expected, what was found and where, and the cure.

    Args:
        expected: What was expected, as the object of "expected".
        found: What was found instead, as the object of "found".
        cure: What to do about it, a sentence without its full stop.
        offenders: Files, folders, classes or rows at fault; the first 20 are named, the rest counted.

    Example:
        >>> print(DatasetError("images in each folder", "2 empty ones", "Fill or remove them", ["polyps", "normal"]))
        Expected images in each folder, found 2 empty ones:
          polyps
          normal
        Fill or remove them.
    """

    def __init__(self, expected: str, found: str, cure: str, offenders: Sequence[str] = ()) -> None:
        lines = [f"Expected {expected}, found {found}{':' if offenders else '.'}"]
        lines += [f"  {offender}" for offender in offenders[:SHOWN]]
        if len(offenders) > SHOWN:
            lines.append(f"  ... and {len(offenders) - SHOWN} more")
        super().__init__("\n".join([*lines, f"{cure}."]))
