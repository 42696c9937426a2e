"""Splits by rule: stratified by class, never parting a group, the same for the same seed on every machine."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from monai_medmamba.data.dataset_error import DatasetError


def join_groups(*keys: Sequence[str | None]) -> list[int]:
    """Numbers the groups of items that share a key, directly or through others.

    Args:
        keys: One sequence a kind of key (patient, content ...), all of one length; None shares nothing.

    Returns:
        The group of each item: the place of its first member.

    Example:
        >>> join_groups(["ann", "bob", "bob", None], ["x", "x", "y", "z"])
        [0, 0, 0, 3]
    """
    leader = list(range(len(keys[0])))

    def find(item: int) -> int:
        while leader[item] != item:
            leader[item] = item = leader[leader[item]]
        return item

    for kind in keys:
        first: dict[str, int] = {}
        for item, key in enumerate(kind):
            if key is not None:
                one, other = find(first.setdefault(key, item)), find(item)
                leader[max(one, other)] = min(one, other)
    return [find(item) for item in range(len(leader))]


def assign_splits(
    names: Sequence[str], labels: Sequence[str], groups: Sequence[int], fractions: Mapping[str, float], seed: int
) -> list[str]:
    """Assigns each item to a split.

    First each split gets one group of each class, rarest class first; then group after group goes where its classes
    are furthest below their share. The order of groups comes from a hash of seed and names, so neither the order of
    the items nor the machine matters. Without groups the share of each class is exact to one item.

    Args:
        names: A distinct name for each item (its path).
        labels: The class of each item.
        groups: The group of each item; a group stays together.
        fractions: The share of each split; they sum to 1.
        seed: Chooses among the splits possible.

    Returns:
        The split of each item, in order.

    Raises:
        DatasetError: A class has fewer groups than there are splits, or groups are so mixed that a split lacks a class.

    Example:
        >>> names, labels = [f"{i}.png" for i in range(10)], ["a"] * 5 + ["b"] * 5
        >>> assign_splits(names, labels, range(10), {"training": 0.6, "test": 0.4}, seed=0).count("training")
        6
    """
    members: dict[int, list[int]] = defaultdict(list)
    for item, group in enumerate(groups):
        members[group].append(item)
    counts = {group: Counter(labels[item] for item in items) for group, items in members.items()}
    sizes = Counter(labels)
    target = {split: {label: share * size for label, size in sizes.items()} for split, share in fractions.items()}
    filled: dict[str, Counter[str]] = {split: Counter() for split in fractions}
    chosen: dict[int, str] = {}

    def put(group: int, split: str) -> None:
        chosen[group] = split
        filled[split].update(counts[group])

    def shortage(group: int, split: str) -> float:
        return sum(n * (target[split][k] - filled[split][k]) / sizes[k] for k, n in counts[group].items())

    ranked = sorted(members, key=lambda group: _rank([names[item] for item in members[group]], seed))
    spread = Counter(label for count in counts.values() for label in count)
    for label in sorted(sizes, key=lambda label: (spread[label], label)):
        for split in sorted(fractions, key=lambda split: fractions[split]):
            if filled[split][label]:
                continue
            able = [group for group in ranked if counts[group][label] and group not in chosen]
            if not able:
                raise _too_few(label, spread[label], len(fractions))
            # The first that fits in the share; where none does, the least too large.
            put(min(able, key=lambda group: max(0.0, counts[group][label] - max(1.0, target[split][label]))), split)
    for group in ranked:
        if group not in chosen:
            put(group, max(fractions, key=lambda split: shortage(group, split)))
    return [chosen[group] for group in groups]


def _rank(names: Sequence[str], seed: int) -> tuple[float, bytes]:
    """Orders groups at random, large ones sooner: what comes late must be small to even out the shares."""
    digest = hashlib.sha256(f"{seed}\n{min(names)}".encode()).digest()
    chance = (int.from_bytes(digest[:8], "big") + 1) / 2**64
    return -len(names) * chance, digest


def _too_few(label: str, spread: int, splits: int) -> DatasetError:
    return DatasetError(
        f"each class in each of {splits} splits",
        f"class {label} with {spread} separate images or patients, too few or too mixed with other classes",
        "Add images of this class, leave it out, or give the splits yourself (train, val and test folders, or a CSV)",
    )
