"""The tables of ``docs/concepts/benchmarks.md``, made from the newest record of a GPU: ``python benchmarks/tables.py``.

``--write`` puts them into the page; without it they are printed. A test fails where page and record disagree.
"""

import argparse
import json
from collections.abc import Iterable
from pathlib import Path

from gpu_targets import GPU_TARGETS, RECORDS
from target import row
from targets import RESULTS

PAGE = Path(__file__).resolve().parent.parent / "docs" / "concepts" / "benchmarks.md"
PICTURE = PAGE.with_suffix(".png")
BEGIN, END = "<!-- made by benchmarks/tables.py: begin -->", "<!-- end -->"
NO_RECORD = "No record of a GPU is kept here yet.\n"
DASH = "-"
TITLES = {"medmamba_tiny": "T", "medmamba_small": "S", "medmamba_base": "B"}
STATES = {"aim": "aim reached", "must": "must reached", "missed": "**missed**"}
PRECISIONS = {
    "fp32": {"dtype": "float32", "tf32": False},
    "TF32": {"dtype": "float32", "tf32": True},
    "bf16": {"dtype": "bfloat16"},
}
ERRORS = ("y", "x", "x_proj_weight", "dt_weight", "dt_bias", "A_log", "D")


def newest_record(folder: Path = RESULTS) -> Path | None:
    """Return the newest record of a GPU's speed."""
    found = sorted(folder.glob(RECORDS))
    return found[-1] if found else None


def table(head: Iterable[str], lines: Iterable[Iterable[object]]) -> str:
    """Return a Markdown table; an empty one is no table."""
    head = list(head)
    body = ["| " + " | ".join(str(cell) for cell in line) + " |" for line in lines]
    return "\n".join(["| " + " | ".join(head) + " |", "|---" * len(head) + "|", *body]) + "\n" if body else ""


def figure(record: dict, field: str, form: str = ".4g", **wanted: object) -> str:
    """Return the one figure with these fields in a form, or a dash."""
    try:
        return format(row(record, field, **wanted), form)
    except LookupError:
        return DASH


def title(found: dict) -> str:
    """Return who a row is about: code, network and mode."""
    network = TITLES.get(found["network"], found["network"])
    return network if found["code"] == "timm" else f"{network}, {found['code']}"


def runner(found: dict) -> str:
    """Return who a row of the core is about: the published code, or one of our backends."""
    return found["code"] if found["code"] == "published" else f"`{found['backend']}`"


def by_runner(keys: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return keys that begin with a runner so that each runner's follow each other."""
    order = list(dict.fromkeys(name for name, _ in keys))
    return sorted(keys, key=lambda key: order.index(key[0]))


def groups(record: dict, what: str) -> list[dict]:
    """Return each network and mode of the rows of a kind, once, in the order of the record."""
    seen = {}
    for r in record["rows"]:
        if r["what"] == what:
            seen.setdefault(tuple((key, r[key]) for key in ("network", "code", "mode")), r)
    return sorted((dict(key) for key in seen), key=lambda r: [*TITLES, r["network"]].index(r["network"]))


def targets(record: dict) -> str:
    """Return what was to be reached and what was."""
    lines = []
    for target in GPU_TARGETS:
        wanted = f"{target.must:g}", DASH if target.aim is None else f"{target.aim:g}"
        try:
            reading = target.read(record)
        except LookupError:
            lines.append([target.what, "not measured", DASH, *wanted, DASH])
        else:
            shown = f"{reading.value:.3g}"
            lines.append([target.what, ", ".join(reading.parts), shown, *wanted, STATES[target.state(reading.value)]])
    return table(("what", "figures", "ratio", "must", "aim", ""), lines)


def inference(record: dict) -> str:
    """Return the times of a forward pass."""
    columns = [(batch, name) for batch in (1, 64, 128) for name in PRECISIONS]
    lines = []
    for group in groups(record, "inference"):
        cells = [
            figure(record, "ms", what="inference", batch=batch, **group, **PRECISIONS[name]) for batch, name in columns
        ]
        lines.append([title(group), group["mode"], *cells])
    return table(("network", "mode", *(f"{batch}, {name}" for batch, name in columns)), lines)


def training(record: dict) -> str:
    """Return the times and the memory of a training step."""
    lines = []
    for group in groups(record, "training step"):
        wanted = [{"what": "training step", **group, **PRECISIONS[name]} for name in ("fp32", "bf16")]
        cells = [figure(record, field, **w) for w in wanted for field in ("ms", "peak_gib")]
        lines.append([title(group), group["mode"], *cells])
    return table(("network", "mode", "fp32, ms", "fp32, GiB", "bf16, ms", "bf16, GiB"), lines)


def core(record: dict) -> str:
    """Return the times of the core, forward and with gradients."""
    seen = {}
    for r in record["rows"]:
        if r["what"] == "core":
            kind = next(k for k, v in PRECISIONS.items() if v.items() <= r.items())
            seen.setdefault(
                (runner(r), kind), {key: r[key] for key in ("code", "backend", "dtype", "tf32") if key in r}
            )
    lines = []
    for name, kind in by_runner(seen):
        group = seen[name, kind]
        cells = []
        for stage in (1, 2, 3, 4):
            both = [
                figure(record, "ms", what="core", stage=stage, **group, **{"pass": half})
                for half in ("forward", "forward+backward")
            ]
            cells.append(" / ".join(both))
        lines.append([name, kind, *cells])
    return table(("code", "input", "stage 1", "stage 2", "stage 3", "stage 4"), lines)


def errors(record: dict) -> str:
    """Return the errors of the core, the largest over the stages."""
    worst: dict[tuple[str, str], dict[str, float]] = {}
    for r in record["rows"]:
        if r["what"] == "core error" and "error_y" in r:
            found = worst.setdefault((runner(r), r["dtype"]), dict.fromkeys(ERRORS, 0.0))
            for key, value in {"y": r["error_y"], **r["error_gradients"]}.items():
                found[key] = max(found[key], value)
    lines = [[*names, *(f"{worst[names][key]:.1e}" for key in ERRORS)] for names in by_runner(worst)]
    return table(("code", "input", "result", *(f"by `{key}`" for key in ERRORS[1:])), lines)


def logits(record: dict) -> str:
    """Return the errors of the network's logits."""
    found = [r for r in record["rows"] if r["what"] == "logits" and "error_logits" in r]
    lines = []
    for r in found:
        apart = format(r["from_published"], ".1e") if "from_published" in r else DASH
        lines.append([title(r), r["mode"], r["dtype"], f"{r['error_logits']:.1e}", apart])
    return table(("network", "mode", "dtype", "error", "from the published fp32"), lines)


def scaling(record: dict) -> str:
    """Return the time per pixel."""
    found = [r for r in record["rows"] if r["what"] == "scaling" and "ms" in r]
    lines = [
        [r["of"], r["mode"], f"{r['size']} px, batch {r['batch']}", f"{r['ms']:.4g}", f"{r['ns_per_pixel']:.4g}"]
        for r in found
    ]
    return table(("of", "mode", "images", "ms", "ns a pixel"), lines)


def losses(record: dict) -> str:
    """Return how far the losses lie apart."""
    ends = {r["backend"]: r for r in record["rows"] if r["what"] == "losses" and "losses" in r}
    apart = {r["backend"]: r for r in record["rows"] if r["what"] == "losses apart" and "largest" in r}
    lines = [
        [
            f"`{name}`",
            f"{r['ms']:.4g}",
            f"{r['first']:.4f}",
            f"{r['last']:.4f}",
            *(f"{apart[name][key]:.4f}" if name in apart else DASH for key in ("largest", "mean")),
        ]
        for name, r in ends.items()
    ]
    return table(("backend", "ms a step", "first loss", "last loss", "largest difference", "mean difference"), lines)


def feeding(record: dict) -> str:
    """Return how fast the bundle trains, and the step alone."""
    lines = []
    for r in record["rows"]:
        if r["what"] == "feeding" and "images_per_second" in r:
            spent = ("waiting_ms", "step_ms", "rest_seconds", "validation_seconds", "check_seconds", "cache_seconds")
            of = "bundle" if r["of"] == "bundle" else f"bare step{', cuDNN benchmark' if r['cudnn_benchmark'] else ''}"
            shown = (format(r[key], ".4g") if key in r else DASH for key in spent)
            lines.append([of, f"{r['images_per_second']:.4g}", *shown])
    head = ("waiting, ms a step", "step, ms", "rest, s an epoch", "validation, s", "checking files, s", "filling, s")
    return table(("of", "images/s", *head), lines)


def missing(record: dict) -> str:
    """Return the rows and sections without a figure, and why."""
    lines = [[name, "the section", s["failed"]] for name, s in record["sections"].items() if "failed" in s]
    for r in record["rows"]:
        if "failed" in r:
            shown = ", ".join(str(v) for k, v in r.items() if k not in ("section", "failed", "autocast"))
            lines.append([r["section"], shown, r["failed"].replace("|", "\\|")])
    return table(("section", "row", "why"), lines)


SECTIONS = (
    ("Targets", "", targets),
    ("A forward pass", "Milliseconds at 224 px, by batch and precision.", inference),
    (
        "A training step",
        "Batch 64 at 224 px: forward, cross-entropy, backward, fused AdamW; the peak memory holds parameters and the "
        "optimiser's state.",
        training,
    ),
    (
        "The core operation",
        "Cross scan, projections, scan and sum of the directions, batch 64, at the stages of T: milliseconds forward / "
        "forward and backward.",
        core,
    ),
    (
        "Its error",
        "Root mean square error of the result and of each gradient against the reference in float64, over the exact "
        "one's root mean square, batch 1, the largest of the stages.",
        errors,
    ),
    (
        "The network's error",
        "The same for the logits of T at 224 px, all paths from the same weights; and how far ours are from the "
        "published network's.",
        logits,
    ),
    ("From 224 to 896 px", "T in bf16, at equal pixels.", scaling),
    (
        "Losses",
        "200 training steps of `medmamba_nano` at 64 px, batch 16, float32, from one seed; differences from the "
        "reference, of moving means over 20 steps.",
        losses,
    ),
    (
        "Feeding",
        "Training epochs of the bundle after the first, 4096 JPEG files at 224 px, batch 64, bf16, every handler "
        "included and validation told apart; and its training step alone, on one batch that lies on the GPU.",
        feeding,
    ),
    ("Not measured", "", missing),
)


def render(path: Path | None) -> str:
    """Return the generated part of the page."""
    if path is None:
        return NO_RECORD
    record = json.loads(path.read_text())
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items() if version)
    gate = record["gate"]
    green = f"{gate['passed']} tests of the operation passed first" if "passed" in gate else "no tests were run first"
    parts = [
        f"{record['device']}, {record['date']}, commit {(record['commit'] or 'unknown')[:7]}; {versions}; {green}. "
        f"From `benchmarks/results/{path.name}`.\n",
        f"![Times of MedMamba-T, of its peers and of the core operation]({PICTURE.name})\n",
    ]
    for heading, words, make in SECTIONS:
        if made := make(record):
            parts += [f"### {heading}\n", *([words + "\n"] if words else []), made]
    return "\n".join(parts)


def with_tables(page: str, made: str) -> str:
    """Return the page with its generated part replaced."""
    before, rest = page.split(BEGIN)
    _old, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{made}\n{END}{after}"


def main() -> None:
    """Print the tables, or write them into the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    made = render(newest_record())
    if parser.parse_args().write:
        PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8"), made), encoding="utf-8")
    else:
        print(made)


if __name__ == "__main__":
    main()
