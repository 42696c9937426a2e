"""Draw ``docs/concepts/benchmarks.png`` from the newest record of a GPU: ``python benchmarks/picture.py``.

The file says in its metadata which record it was drawn from; a test fails where that is no longer the newest.
"""

import json
import sys
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, StrMethodFormatter
from PIL import Image
from tables import PICTURE, PRECISIONS, TITLES, newest_record
from target import rows

from monai_medmamba.visualize.style import MUTED, RULE, SERIES, styled

SOURCE = "Source"  # the key of PNG metadata for it
COLOURS = {"ours": SERIES[0], "published": SERIES[1], "timm": MUTED}
BATCH = 64


def bars(axes: Axes, found: list[dict], field: str, heading: str) -> None:
    """Draw one bar for each row, the longest on top."""
    found = sorted(found, key=lambda r: r[field])
    names = [r["network"] if r["code"] == "timm" else f"{TITLES[r['network']]} {r['code']}" for r in found]
    labels = [f"{name}, {r['mode']}" for name, r in zip(names, found, strict=True)]
    drawn = axes.barh(labels, [r[field] for r in found], color=[COLOURS[r["code"]] for r in found], height=0.7)
    axes.bar_label(drawn, fmt="%.3g", padding=3, fontsize=8)
    axes.set_title(heading)
    axes.margins(x=0.12)
    axes.tick_params(axis="y", length=0)


def stages(axes: Axes, record: dict) -> None:
    """Draw the core, forward and backward, at each stage."""
    kinds = [("published", None, "fp32"), ("published", None, "bf16")]
    kinds += [("ours", record["backends"][0], "fp32"), ("ours", record["backends"][0], "bf16")]
    width = 0.8 / len(kinds)
    for number, (code, backend, precision) in enumerate(kinds):
        named = {"backend": backend} if backend else {}
        wanted = {"what": "core", "code": code, "pass": "forward+backward", **named, **PRECISIONS[precision]}
        found = {r["stage"]: r["ms"] for r in rows(record, "ms", **wanted)}
        places = [stage + (number - (len(kinds) - 1) / 2) * width for stage in found]
        colour = {"color": COLOURS[code], "alpha": 1.0 if precision == "bf16" else 0.5}
        drawn = axes.bar(places, found.values(), width, label=f"{code}, {precision}", **colour)
        axes.bar_label(drawn, fmt="%.2g", padding=2, fontsize=7)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.margins(y=0.15)
    axes.set_xticks([1, 2, 3, 4], [f"stage {number}" for number in (1, 2, 3, 4)])
    axes.set_title(f"Core operation, forward and backward, batch {BATCH}, ms")
    axes.legend()


def curves(axes: Axes, record: dict) -> None:
    """Draw the losses of the same training on each backend, if the record has them."""
    found = rows(record, "losses", what="losses")
    if not found:
        axes.remove()
        return
    for number, r in enumerate(found):
        axes.plot(r["losses"], label=r["backend"], color=SERIES[number], linewidth=2.4 - 0.8 * number)
    axes.set_title("Training loss from one seed, by backend")
    axes.set_xlabel("step")
    axes.grid(axis="y", color=RULE)
    axes.legend()


@styled
def draw(record: dict) -> Figure:
    """Return the picture of a record."""
    figure = Figure(figsize=(10.5, 8), layout="constrained")
    left, right = figure.subplots(2, 2)
    bf16 = {"batch": BATCH, **PRECISIONS["bf16"]}
    smaller = [name for name in TITLES if name != "medmamba_tiny"]
    for axes, what, heading in (
        (left[0], "inference", f"Inference, batch {BATCH}, 224 px, bf16, ms"),
        (left[1], "training step", f"Training step, batch {BATCH}, 224 px, bf16, ms"),
    ):
        found = [r for r in rows(record, "ms", what=what, **bf16) if r["network"] not in smaller]
        bars(axes, found, "ms", heading)
    stages(right[0], record)
    curves(right[1], record)
    figure.suptitle(f"{record['device']}, {record['date']}", x=0.01, ha="left", fontsize=9, color=MUTED)
    return figure


def save(record: Path, path: Path) -> None:
    """Draw a record and write the picture, naming the record in it."""
    figure = draw(json.loads(record.read_text()))
    figure.savefig(path, dpi=130, facecolor="white", metadata={SOURCE: record.name, "Software": None})


def source(path: Path) -> str | None:
    """Return the name of the record that a picture was drawn from."""
    with Image.open(path) as image:
        return image.info.get(SOURCE)


def main() -> int:
    """Draw the newest record."""
    record = newest_record()
    if record is None:
        print("no record of a GPU in benchmarks/results: run benchmarks/run.py --device cuda")
        return 1
    save(record, PICTURE)
    print(PICTURE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
