"""From measurements of single images to the figures of a data set."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..data.entry import SPLITS, natural_order
from .item import Item, Listing
from .measure import QUANTILES, Measurement
from .suspicions import storage_of

BINS = 64
MOST_SIZES = 20
AXES = ("LR", "PA", "IS")
"""Letters of an orientation that name an axis: of the side it runs to."""

Measured = Mapping[str, Measurement]


def spread(values: Iterable[float]) -> dict[str, float] | None:
    """Returns the least, the 5 %, the median, the 95 % and the greatest value; None of nothing."""
    numbers = np.array(list(values), dtype=np.float64)
    if not numbers.size:
        return None
    found = np.quantile(numbers, [0, 0.05, 0.5, 0.95, 1])
    return {name: _short(x) for name, x in zip(("min", "p5", "median", "p95", "max"), found, strict=True)}


def describe_files(measured: Measured) -> dict[str, Any]:
    """Returns how many images there are of each format, way of storing pixels, number of channels and of bits."""
    all_ = list(measured.values())
    return {
        "formats": _counts(m.format for m in all_),
        "modes": _counts(m.mode for m in all_),
        "storage": _counts(storage_of(m) for m in all_),
        "channels": _counts(str(m.channels) for m in all_),
        "bits": _counts(str(m.bits) for m in all_),
        "colour": sum(m.colour for m in all_),
        "spatial_dims": max((3 if m.depth > 1 else 2 for m in all_), default=2),
        "volumes": sum(m.depth > 1 for m in all_),
        "several_frames": sum(m.frames > 1 for m in all_),
        "transfer_syntaxes": _counts(m.tags["transfer_syntax"] for m in all_ if "transfer_syntax" in m.tags),
    }


def describe_sizes(measured: Measured) -> dict[str, Any]:
    """Returns how large the images are, in pixels and, where known, in millimetres."""
    all_ = list(measured.values())
    sizes = Counter((m.width, m.height, m.depth) for m in all_)
    common = [{"width": w, "height": h, "depth": d, "images": n} for (w, h, d), n in sizes.most_common(MOST_SIZES)]
    spacings = [m.tags["spacing"] for m in all_ if m.tags.get("spacing")]
    return {
        "width": spread(m.width for m in all_),
        "height": spread(m.height for m in all_),
        "depth": spread(m.depth for m in all_),
        "aspect": spread(m.width / m.height for m in all_),
        "distinct": len(sizes),
        "most_common": common,
        **_in_space(all_),
        "spacing_mm": [spread(s[axis] for s in spacings if len(s) > axis) for axis in range(3)] if spacings else None,
    }


def _in_space(all_: Sequence[Measurement]) -> dict[str, Any]:
    """Returns how far volumes reach along the axes towards right, front and head, and how fine they are, if any are."""
    placed = [place_of(m) for m in all_ if m.depth > 1]
    if not placed:
        return {}
    return {
        "in_space": {
            "extent_mm": [spread(counts[a] * lengths[a] for counts, lengths in placed) for a in range(3)],
            "spacing_mm": [spread(lengths[a] for _, lengths in placed) for a in range(3)],
        }
    }


def place_of(m: Measurement) -> tuple[list[int], list[float]]:
    """Returns voxels and millimetres between them along the axes towards right, front and head.

    An array without an orientation has these axes in its own order, and 1 mm, as bundles read it.
    """
    letters, spacing = str(m.tags.get("orientation") or ""), m.tags.get("spacing") or [1.0, 1.0, 1.0]
    counts = [m.width, m.height, m.depth] if letters else [m.depth, m.height, m.width]
    order = [next((axis for axis, ends in enumerate(AXES) if letter in ends), 3) for letter in letters]
    if sorted(order) != [0, 1, 2] or len(spacing) != 3:
        return counts, [float(length) for length in [*spacing, 1.0, 1.0, 1.0][:3]]
    return [counts[order.index(axis)] for axis in range(3)], [float(spacing[order.index(axis)]) for axis in range(3)]


def describe_intensity(items: Sequence[Item], measured: Measured) -> list[dict[str, Any]]:
    """Returns the values of the images: of those on a scale from 0 to 1, and of those with a unit, one a modality.

    Every image counts alike, however large. ``mean`` and ``std`` are those of all pixels, ``view`` those inside the
    field of view; three channels wherever an image of the group has three.
    """
    groups = []
    by_unit: dict[tuple[bool, str], list[Item]] = defaultdict(list)
    for item in items:
        if item.path in measured:
            m = measured[item.path]
            by_unit[not m.unit, "" if m.unit else m.tags.get("modality") or ""].append(item)
    for (own, modality), members in sorted(by_unit.items()):
        all_ = [measured[item.path] for item in members]
        by_split = {
            split: _moments([measured[item.path] for item in members if item.split == split])
            for split in SPLITS
            if any(item.split == split for item in members)
        }
        groups.append(
            {
                "scale": "units of the files" if own else "0 to 1",
                "modality": modality or None,
                "images": len(all_),
                "min": _short(min(m.low for m in all_)),
                "max": _short(max(m.high for m in all_)),
                **_moments(all_),
                "percentiles": {
                    "p0.5": _short(np.median([m.tails[0] for m in all_])),
                    "p99.5": _short(np.median([m.tails[1] for m in all_])),
                },
                "image_mean": spread(float(np.mean(m.view_mean)) for m in all_),
                "image_std": spread(float(np.mean(m.view_std)) for m in all_),
                "histogram": histogram(all_),
                "by_split": by_split,
            }
        )
    return groups


def describe_view(measured: Measured) -> dict[str, Any]:
    """Returns how much of the images the field of view fills."""
    shares = [m.share for m in measured.values()]
    return {"share": spread(shares), "with_surround": sum(share < 0.95 for share in shares)}


def histogram(all_: Sequence[Measurement]) -> dict[str, Any]:
    """Returns the grey values inside the fields of view, each image counting alike.

    Returns:
        ``from`` and ``to``, the ends of the scale, and ``shares``, 64 shares that sum to 1, or to a little less where
        values have a unit and some lie beyond these ends.
    """
    unit = all_[0].unit
    low = 0.0 if unit else float(np.quantile([m.tails[0] for m in all_], 0.1))
    high = 1.0 if unit else float(np.quantile([m.tails[1] for m in all_], 0.9))
    high = high if high > low else low + 1
    edges = np.linspace(low, high, BINS + 1)
    edges[0] -= 1e-6 * (high - low)  # values at the ends belong to the outer bins
    edges[-1] += 1e-6 * (high - low)
    levels = np.linspace(0, 1, QUANTILES)
    total = np.zeros(BINS)
    for m in all_:
        quantiles = np.asarray(m.quantiles)
        ramp = np.arange(QUANTILES) * 1e-9 * max(1.0, float(np.abs(quantiles).max()))  # equal ones stay in order
        below = np.interp(edges, quantiles + ramp, levels, left=0, right=1)
        total += np.diff(below)
    return {"from": _short(low), "to": _short(high), "shares": [round(float(x), 6) for x in total / len(all_)]}


def describe_classes(listing: Listing, patients: Mapping[str, str]) -> dict[str, Any]:
    """Returns the classes, how many images each has in each split, and how uneven they are."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    people: dict[str, set[str]] = defaultdict(set)
    for item in listing.items:
        if item.label is not None:
            counts[item.label][item.split or "unsplit"] += 1
            if item.path in patients:
                people[item.label].add(patients[item.path])
    several = bool(listing.columns)
    for split, columns in listing.columns.items():
        for label, count in columns.items():
            counts[label][split] += count
    names = list(counts) if several else sorted(counts, key=natural_order)
    totals = {name: sum(counts[name].values()) for name in names}
    everything = sum(totals.values())
    classes = [
        {
            "name": name,
            "images": totals[name],
            "share": round(totals[name] / (len(listing.items) if several else everything), 6),
            "by_split": dict(counts[name]),
            "patients": len(people[name]) if people[name] else None,
        }
        for name in names
    ]
    shares = np.array(list(totals.values()), dtype=np.float64) / max(1, everything)
    positive = shares[shares > 0]
    entropy = float(-(positive * np.log(positive)).sum() / np.log(len(shares))) if len(shares) > 1 else None
    return {
        "labels_from": listing.labels_from if not several else "arrays",
        "several_per_image": several,
        "unlabelled": 0 if several else sum(item.label is None for item in listing.items),
        "classes": classes,
        "imbalance": {
            "largest_to_smallest": _short(max(totals.values()) / max(1, min(totals.values()))) if totals else None,
            "majority_share": round(float(shares.max()), 6) if totals else None,
            "evenness": None if entropy is None else round(entropy, 6),
        },
    }


def describe_patients(items: Sequence[Item], patients: Mapping[str, str], measured: Measured) -> dict[str, Any]:
    """Returns how many patients there are and how many images each has, without saying who they are."""
    images = Counter(patients[item.path] for item in items if item.path in patients)
    series = Counter(m.tags["series"] for m in measured.values() if m.tags.get("series"))
    studies = {m.tags["study"] for m in measured.values() if m.tags.get("study")}
    return {
        "known": bool(images),
        "patients": len(images),
        "images_with_patient": sum(images.values()),
        "images_per_patient": spread(images.values()),
        "studies": len(studies) or None,
        "series": len(series) or None,
        "images_per_series": spread(series.values()),
    }


def _moments(all_: Sequence[Measurement]) -> dict[str, Any]:
    if not all_:
        return {}
    mean, std = _pool([m.mean for m in all_], [m.std for m in all_])
    view_mean, view_std = _pool([m.view_mean for m in all_], [m.view_std for m in all_])
    return {"mean": mean, "std": std, "view": {"mean": view_mean, "std": view_std}}


def _pool(means: Sequence[Sequence[float]], stds: Sequence[Sequence[float]]) -> tuple[list[float], list[float]]:
    """Returns mean and standard deviation of images that count alike; grey ones among coloured count as all three."""
    channels = max(len(mean) for mean in means)
    mean = np.array([[*m] * (channels // len(m)) for m in means])
    std = np.array([[*s] * (channels // len(s)) for s in stds])
    pooled = mean.mean(axis=0)
    variance = (std**2 + mean**2).mean(axis=0) - pooled**2
    return [_short(x) for x in pooled], [_short(x) for x in np.sqrt(np.maximum(variance, 0))]


def _counts(values: Iterable[str]) -> dict[str, int]:
    return dict(Counter(values).most_common())


def _short(value: Any) -> float:
    return float(f"{float(value):.6g}")
