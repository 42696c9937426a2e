"""The page of a fingerprint: one file with its pictures inside, complete without network and scripts."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..files import atomic_path
from ..visualize.page_template import page_template
from ..visualize.page_text import FILTERS
from ..visualize.picture import embed
from .duplicates import Group
from .figures import classes_figure, sizes_figure, values_figure
from .headline import headline
from .item import Item
from .measure import Measurement

EXAMPLES, MOST_CLASSES = 8, 30
MOST_GROUPS, MOST_OF_A_GROUP = 12, 6
MOST_FILES = 200
"""Of each finding; the JSON file names all."""

Preview = Callable[[str], bytes | None]


class Tile(NamedTuple):
    """A small picture and what stands below it."""

    source: str
    name: str
    note: str = ""


def write_page(
    path: Path,
    content: Mapping[str, Any],
    items: Sequence[Item],
    measured: Mapping[str, Measurement],
    groups: Mapping[str, Sequence[Group]],
    preview: Preview,
) -> None:
    """Writes the page of a fingerprint.

    Args:
        path: Where it shall stand; an earlier one is replaced.
        content: The content of ``fingerprint.json``.
        items: The images, in order.
        measured: Measurements by path.
        groups: ``exact`` and ``near``: images that are the same or alike.
        preview: Returns the small JPEG of an image.

    Raises:
        OSError: The page cannot be written.
    """
    flat = list(measured.values())
    classes = content["labels"]["classes"]
    page = page_template(__package__, "page.html.j2", {**FILTERS, "number": _number}).render(
        content=content,
        facts=headline(content),
        examples=_examples(items, measured, preview),
        classes=embed(classes_figure(classes)) if classes else None,
        sizes=embed(sizes_figure([m.width for m in flat], [m.height for m in flat])) if flat else None,
        values=[(group, embed(values_figure(group))) for group in content["intensity"]],
        suspects=_suspects(content["findings"], measured, preview),
        groups={name: _group_tiles(groups[name], preview) for name in ("exact", "near")},
        most_files=MOST_FILES,
        most_classes=MOST_CLASSES,
    )
    with atomic_path(path) as temporary:
        temporary.write_text(page, encoding="utf-8", errors="replace")


def _examples(
    items: Sequence[Item], measured: Mapping[str, Measurement], preview: Preview
) -> list[tuple[str, int, list[Tile]]]:
    """Returns name, number of images and evenly spread examples of each class, the largest classes first."""
    by_label: dict[str, list[str]] = {}
    for item in items:
        if item.path in measured:
            by_label.setdefault(item.label if item.label is not None else "no class", []).append(item.path)
    rows = []
    for label in sorted(by_label, key=lambda label: (-len(by_label[label]), label))[:MOST_CLASSES]:
        paths = by_label[label]
        most = min(len(paths), EXAMPLES if len(by_label) > 1 else 3 * EXAMPLES)
        chosen = [paths[i * len(paths) // most] for i in range(most)]
        rows.append((label, len(paths), _tiles(chosen, preview)))
    return rows


def _suspects(
    findings: Sequence[Mapping[str, Any]], measured: Mapping[str, Measurement], preview: Preview
) -> dict[str, list[Tile]]:
    """Returns pictures of the first files of each finding about single images."""
    found = {}
    for finding in findings:
        if not finding["code"].startswith(("same_", "near_", "patient_")):
            paths = [file["path"] for file in finding["files"] if file["path"] in measured]
            found[finding["code"]] = _tiles(paths[:EXAMPLES], preview)
    return found


def _group_tiles(groups: Sequence[Group], preview: Preview) -> list[tuple[Group, list[Tile]]]:
    """Returns pictures of groups, those across splits and labels first."""
    ordered = sorted(groups, key=lambda group: (-(group.across_splits + group.across_labels), -len(group.files)))
    shown = []
    for group in ordered[:MOST_GROUPS]:
        notes = [
            ", ".join(part for part in pair if part is not None)
            for pair in zip(group.splits, group.labels, strict=True)
        ]
        shown.append((group, _tiles(group.files[:MOST_OF_A_GROUP], preview, notes)))
    return shown


def _tiles(paths: Sequence[str], preview: Preview, notes: Sequence[str] = ()) -> list[Tile]:
    tiles = []
    for place, path in enumerate(paths):
        content = preview(path)
        if content is not None:
            source = "data:image/jpeg;base64," + base64.b64encode(content).decode("ascii")
            tiles.append(Tile(source, path, notes[place] if notes else ""))
    return tiles


def _number(value: Any) -> str:
    """Returns a number in four digits, or a dash for none."""
    if value is None:
        return "\N{EN DASH}"
    if isinstance(value, list):
        return ", ".join(_number(item) for item in value)
    return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}".replace(",", "\N{NARROW NO-BREAK SPACE}")
