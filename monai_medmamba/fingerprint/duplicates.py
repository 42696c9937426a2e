"""Which images are the same, and which look nearly the same, and whether splits or labels part them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .item import Item, Remark
from .likeness import TINY
from .measure import Measurement

BITS_APART = 10
"""Two images of which more bits of the perceptual hash differ are not alike."""
CORRELATION = 0.985
"""Nor are those whose tiny copies correlate less."""
PAIRS_AT_ONCE = 2**22
"""So that a block of comparisons takes little memory, even where all images are alike."""


@dataclass(frozen=True)
class Group:
    """Images that are the same or alike.

    Args:
        files: Their paths, in the order of the list.
        labels, splits: What each is listed as.
        across_labels, across_splits: Whether these differ.
    """

    files: list[str]
    labels: list[str | None]
    splits: list[str | None]
    across_labels: bool
    across_splits: bool


def exact_groups(items: Sequence[Item], measured: Mapping[str, Measurement]) -> list[Group]:
    """Returns the groups of images of the same values, whatever files hold them; constant images are left out."""
    by_digest: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        if item.path in measured and measured[item.path].low < measured[item.path].high:
            by_digest[measured[item.path].digest].append(item)
    return [_group(members) for members in by_digest.values() if len(members) > 1]


def near_groups(items: Sequence[Item], measured: Mapping[str, Measurement]) -> list[Group]:
    """Returns the groups of images that look alike, directly or through others.

    Two images are alike where at most 10 of the 64 bits of their perceptual hashes differ and their copies of 16 by 16
    pixels correlate by 0.985 or more. Images without content (constant ones) are left out, and so are groups that are
    one DICOM series, whose neighbours are alike by nature. A group of exact duplicates alone is not repeated here.
    """
    chosen = [item for item in items if item.path in measured and measured[item.path].low < measured[item.path].high]
    first: dict[str, int] = {}
    leaders = [first.setdefault(measured[item.path].digest, place) for place, item in enumerate(chosen)]
    unique = sorted(set(leaders))
    records = [measured[chosen[place].path] for place in unique]
    parts = near_parts([int(record.hash, 16) for record in records], [bytes.fromhex(record.tiny) for record in records])
    part_of = dict(zip(unique, parts, strict=True))

    members: dict[int, list[Item]] = defaultdict(list)
    digests: dict[int, set[str]] = defaultdict(set)
    for item, leader in zip(chosen, leaders, strict=True):
        members[part_of[leader]].append(item)
        digests[part_of[leader]].add(measured[item.path].digest)
    groups = []
    for part, found in members.items():
        series = {measured[item.path].tags.get("series") for item in found}
        if len(digests[part]) > 1 and (len(series) > 1 or None in series):
            groups.append(_group(found))
    return groups


def near_parts(hashes: Sequence[int], tiny: Sequence[bytes]) -> list[int]:
    """Parts images into groups that are alike.

    All pairs are compared, in blocks and as matrix products: of bits written as 1 and -1 the product tells how many
    differ. That costs a second for 10,000 images.

    Args:
        hashes: Perceptual hash of each image.
        tiny: Tiny copy of each image.

    Returns:
        The group of each image: the place of its first member.
    """
    count = len(hashes)
    group = np.arange(count)
    if count < 2:
        return group.tolist()
    words = np.array(hashes, dtype=">u8").view(np.uint8).reshape(count, 8)
    signs = np.unpackbits(words, axis=1).astype(np.float32) * 2 - 1
    copies = np.frombuffer(b"".join(tiny), np.uint8).reshape(count, TINY * TINY).astype(np.float32)
    copies -= copies.mean(axis=1, keepdims=True)
    copies /= np.maximum(np.linalg.norm(copies, axis=1, keepdims=True), 1e-6)
    block = max(1, PAIRS_AT_ONCE // count)
    for begin in range(0, count, block):
        near = signs[begin : begin + block] @ signs[begin:].T >= 64 - 2 * BITS_APART
        near &= group[begin : begin + block, None] != group[None, begin:]
        rows, columns = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
        alike = copies[begin + rows] @ copies[begin + columns].T >= CORRELATION
        alike &= near[np.ix_(rows, columns)]
        one, other = alike.nonzero()
        _join(group, begin + rows[one], begin + columns[other])
    return group.tolist()


def _join(group: np.ndarray, one: np.ndarray, other: np.ndarray) -> None:
    """Joins the groups of pairs, in place; each group keeps the number of its first member."""
    while True:
        low, high = np.minimum(group[one], group[other]), np.maximum(group[one], group[other])
        apart = low < high
        if not apart.any():
            return
        onto = np.arange(len(group))
        np.minimum.at(onto, high[apart], low[apart])
        group[:] = onto[group]


def remarks_on(groups: Sequence[Group], likeness: str) -> list[Remark]:
    """Returns remarks on groups, one a group and thing that parts it.

    Args:
        groups: What ``exact_groups`` or ``near_groups`` found.
        likeness: ``same`` or ``near``.
    """
    remarks = []
    for group in groups:
        codes = [name for name, parted in (("splits", group.across_splits), ("labels", group.across_labels)) if parted]
        detail = " = ".join(_place(*member) for member in zip(group.files, group.splits, group.labels, strict=True))
        for code in codes:
            remarks.append(Remark(f"{likeness}_across_{code}", group.files[0], detail))
        if not codes:
            remarks.append(Remark(f"{likeness}_in_split", group.files[0], detail))
    return remarks


def _place(file: str, split: str | None, label: str | None) -> str:
    where = ", ".join(part for part in (split, label) if part is not None)
    return f"{file} ({where})" if where else file


def _group(members: Sequence[Item]) -> Group:
    labels, splits = [item.label for item in members], [item.split for item in members]
    files = [item.path for item in members]
    return Group(files, labels, splits, len(set(labels)) > 1, len(set(splits)) > 1)
