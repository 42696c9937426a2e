"""Leaves images out of a data set: by name, or because their content contradicts another's."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from fnmatch import fnmatchcase

from monai_medmamba.data.entry import SPLITS, Entry

logger = logging.getLogger(__name__)

SHOWN = 5


def exclude_named(entries: Sequence[Entry], exclude: Sequence[str]) -> list[Entry]:
    """Returns the entries that no name or pattern matches, and logs the others.

    Args:
        entries: The images.
        exclude: Paths relative to the data set's folder, or patterns of them in which ``*`` stands for any
            characters, slashes too, and ``?`` for one.
    """
    met = {name: {entry.path for entry in entries if is_excluded(entry.path, (name,))} for name in exclude}
    idle = [name for name, hits in met.items() if not hits]
    if idle:
        logger.warning("Nothing to leave out matches %s.", ", ".join(idle))
    out = set().union(*met.values())
    if out:
        logger.info("Left out by name: %s.", _some(sorted(out)))
    return [entry for entry in entries if entry.path not in out]


def is_excluded(path: str, exclude: Sequence[str]) -> bool:
    """Tells whether one of the names is this path, or a pattern of it; MONAI's configs turn ``#`` into ``::``."""
    written = path.replace("#", "::")
    return any(name in (path, written) or fnmatchcase(path, name) or fnmatchcase(written, name) for name in exclude)


def exclude_contradictions(entries: Sequence[Entry], digests: Sequence[str]) -> tuple[list[Entry], list[str]]:
    """Leaves out copies of a picture that stand in a second split or under a second label, and logs them.

    Of copies in several splits the test split keeps its own, before validation and training, so that published test
    figures stay comparable. Of copies under several labels in one split none is kept, for nobody knows which is right.

    Args:
        entries: The images.
        digests: The digest of each one's content.

    Returns:
        The entries that stay, and their digests.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for i, digest in enumerate(digests):
        groups[digest].append(i)
    out: set[int] = set()
    for group in groups.values():
        rank = {i: [None, *SPLITS].index(entries[i].split) for i in group}
        kept = [i for i in group if rank[i] == max(rank.values())]
        if len({entries[i].label for i in kept}) > 1:
            kept = []
        out |= set(group) - set(kept)
    if out:
        names = sorted(entries[i].path for i in out)
        logger.warning(
            "Left out because the same picture is in another split or under another label: %s.", _some(names)
        )
    stay = [i for i in range(len(entries)) if i not in out]
    return [entries[i] for i in stay], [digests[i] for i in stay]


def _some(paths: Sequence[str]) -> str:
    """Returns a few paths, and how many there are."""
    more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
    return f"{len(paths)} files, {', '.join(paths[:SHOWN])}{more}"
