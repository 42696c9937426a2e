"""The tables of ``docs/concepts/explanations.md``, from the newest records: ``python benchmarks/evidence_tables.py``.

``--write`` puts them between the marks of the page; without it the page is printed. A test fails where page and records
disagree.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from tables import DASH, table
from targets import RESULTS

from monai_medmamba.robustness import CORRUPTIONS

PAGE = Path(__file__).resolve().parent.parent / "docs" / "concepts" / "explanations.md"
BEGIN, END = "<!-- made by benchmarks/evidence_tables.py: {} -->", "<!-- end -->"


def explanations(record: dict) -> str:
    """Return deletion and insertion of each method, and how far it is above random maps on each network."""
    runs = [{row["method"]: row for row in run["groups"]["all"]["rows"]} for run in record["runs"]]
    lines = []
    for method in runs[0]:
        means = [
            sum(run[method][key] for run in runs) / len(runs)
            for key in ("deletion", "insertion", "insertion_less_deletion")
        ]
        over = [
            f"{run[method]['over_the_better_random_map']:+.2f} ({ends[0]:+.2f} to {ends[1]:+.2f})"
            if (ends := run[method]["interval"])
            else DASH
            for run in runs
        ]
        lines.append([method, *(f"{mean:.3f}" for mean in means), *over])
    moved = ", ".join(f"{run['moved_by_the_state']:.1%}" for run in record["runs"])
    head = ("method", "deletion", "insertion", "gain", *(f"over random: {place}" for place in range(len(runs))))
    return table(head, lines) + f"\n{record['images']} images; of all evidence, the scans' states move {moved}.\n"


def foreign(record: dict) -> str:
    """Return how foreign sets are told from familiar images."""
    lines = []
    for rows in zip(*(run["rows"] for run in record["runs"]), strict=True):
        cells = [
            ", ".join(format(row[kind][key], form) for row in rows)
            for kind, key, form in (
                ("distance", "auroc", ".3f"),
                ("energy", "auroc", ".3f"),
                ("distance", "foreign_refused", ".0%"),
            )
        ]
        lines.append([rows[0]["foreign"], rows[0]["n"], *cells])
    refused = ", ".join(f"{run['rows'][0]['distance']['familiar_refused']:.0%}" for run in record["runs"])
    lines.append(["*familiar test images*", record["runs"][0]["familiar"], DASH, DASH, refused])
    return table(("foreign images", "n", "AUROC by distance", "by energy", "refused by distance"), lines)


def corruptions(record: dict) -> str:
    """Return the accuracy of the first network under each corruption, in per cent."""
    by_name: dict[str, list[dict]] = {}
    for row in record["runs"][0]["rows"]:
        by_name.setdefault(row["corruption"], []).append(row)
    clean = next(iter(by_name.values()))[0]
    lines = [
        [
            name,
            f"{CORRUPTIONS[name].unit}: " + ", ".join(f"{row['strength']:g}" for row in rows[1:]),
            *(f"{row['accuracy']:.1%}".rstrip("%") for row in rows[1:]),
            f"{rows[-1]['confidence']:.0%}".rstrip("%"),
        ]
        for name, rows in by_name.items()
    ]
    ends = f"{clean['low']:.1%} to {clean['high']:.1%}"
    said = f"Clean: {clean['accuracy']:.1%} ({ends}), {record['runs'][0]['images']} images.\n"
    return table(("corruption", "strengths", "1", "2", "3", "4", "5", "confidence at 5"), lines) + "\n" + said


TABLES: dict[str, Callable[[dict], str]] = {
    "explanations": explanations,
    "methods": explanations,
    "foreign": foreign,
    "corruptions": corruptions,
}


def newest_record(name: str, folder: Path = RESULTS) -> Path:
    """Return the newest record of a kind on the patches."""
    return sorted(folder.glob(f"*-{name}-kvasir-seg-patches.json"))[-1]


def render(name: str) -> str:
    """Return a table and where it comes from."""
    path = newest_record(name)
    record = json.loads(path.read_text(encoding="utf-8"))
    return f"{TABLES[name](record)}\n`benchmarks/results/{path.name}`: {record['note']}.\n"


def with_tables(page: str) -> str:
    """Return the page with the newest tables between the marks that it has."""
    marked = [name for name in TABLES if BEGIN.format(name) in page]
    if not marked:
        raise ValueError(f"{PAGE.name}: expected a mark such as {BEGIN.format('explanations')}, found none")
    for name in marked:
        before, mark, rest = page.partition(BEGIN.format(name))
        page = f"{before}{mark}\n\n{render(name)}\n{END}{rest.partition(END)[2]}"
    return page


def main() -> None:
    """Write the tables into the page, or print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="into the page")
    page = with_tables(PAGE.read_text(encoding="utf-8"))
    if parser.parse_args().write:
        PAGE.write_text(page, encoding="utf-8")
    else:
        print(page)


if __name__ == "__main__":
    main()
