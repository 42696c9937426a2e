"""The targets of volumes, from records of ``volumes.py``."""

from functools import partial

from target import Reading, Target, row, rows


def per_voxel(record: dict, kind: str) -> Reading:
    """Return the time per voxel of the largest volume against that of the smallest."""
    found = rows(record, "ratio", what="time per voxel", of=kind)
    if len(found) != 1 or record["quick"]:
        raise LookupError(f"no row of the time per voxel of a {kind}")
    ends = [found[0]["from"], found[0]["to"]]
    times = [row(record, "ns_per_voxel", section="scaling", what=kind, space=space) for space in ends]
    parts = (f"{' x '.join(map(str, space))}: {took:.4g} ns" for space, took in zip(ends, times, strict=True))
    return Reading(found[0]["ratio"], tuple(parts))


VOLUME_TARGETS = tuple(
    Target(
        name=f"{device}_volumes_{name}",
        what=f"nano on volumes, {kind}: time per voxel of the largest against the smallest, on a {device.upper()}",
        unit="x",
        better="lower",
        must=1.15,
        aim=1.05,
        records=f"*-volumes-{pattern}-*.json",
        read=partial(per_voxel, kind=kind),
    )
    for device, pattern in (("cpu", "cpu"), ("gpu", "nvidia"))
    for name, kind in (("forward", "forward"), ("training", "training step"))
)
