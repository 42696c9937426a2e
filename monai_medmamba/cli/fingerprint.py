"""``medmamba fingerprint``: what a data set holds, and what is wrong with it."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from typing import Any

__all__ = ["add_data_arguments", "add_to", "data_layout"]

INTERRUPTED = 130
"""What shells report of a program that Ctrl-C ended."""

DESCRIPTION = """\
Look at every image of a data set before anything is trained on it: formats, sizes, bit depths, grey values inside the
field of view, classes, patients, exact and near duplicates within and across splits and labels, files that cannot be
read and files that look wrong. Nothing in the data set is changed.

DATA is one of
  a folder of class folders              DATA/<class>/*.png
  a folder of split folders              DATA/<train|val|test>/<class>/*.png
  a folder with one table, or a table    columns path, label and optionally patient, split (CSV or TSV)
  a file of MedMNIST's form              *.npz, never unpickled
  DICOM files in folders of any depth    needs pydicom;  known by their content, whatever their names
  NIfTI files in folders of any depth    needs nibabel;  *.nii, *.nii.gz
"""

EXAMPLES = """\
examples:
  medmamba fingerprint images/
  medmamba fingerprint breastmnist.npz --out reports/breast
  medmamba fingerprint images/ --csv metadata.csv --column path=file --column label=diagnosis --column patient=case
  medmamba fingerprint images/ --patient "([A-Z]{2}[0-9]{4})_"        the patient is part of the file names
  medmamba fingerprint scans/ --no-classes                            the folders are sites or dates, no classes

The folder of --out gets
  fingerprint.json     everything, with every file that a finding names; `medmamba plan` reads it
  fingerprint.html     the same to look at, one file with its pictures inside
  measurements.sqlite  what was measured: run the command again after an interruption, or when images were added, and
                       only new and changed files are read. May be deleted at any time.

exit status: 0 measured, 1 nothing done (the message says why), 2 measured, and there are problems that you should look
at before training: unreadable images, the same image or patient in two splits, one image under two labels ...
130 interrupted with Ctrl-C
"""


def add_to(commands: argparse._SubParsersAction) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "fingerprint",
        help="look over a data set: sizes, values, classes, duplicates, bad files",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("data", type=Path, metavar="DATA", help="a folder, a table or an .npz file")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for the results (fingerprint-<name of DATA>)")
    add_data_arguments(parser)
    parser.add_argument("--no-classes", action="store_true", help="folders are no classes")
    parser.add_argument("--workers", type=_positive, metavar="N", help="images at a time (one a processor)")
    parser.add_argument("--quiet", action="store_true", help="no progress bar and no summary, except problems")
    parser.set_defaults(run=_run)


def add_data_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what tells how a data set is laid out."""
    parser.add_argument("--csv", type=Path, metavar="FILE", help="the table, where the folder holds several")
    parser.add_argument(
        "--column",
        action="append",
        default=[],
        type=_column,
        metavar="OURS=THEIRS",
        help="which column of the table is path, label, patient or split; may be repeated",
    )
    parser.add_argument(
        "--patient",
        metavar="REGEX",
        help="finds the patient in an image's path: the first group, or the whole match",
    )
    parser.add_argument(
        "--path-form",
        metavar="FORM",
        help="how the table's value becomes a path: Images/{}.png, or **/{} for files at any depth",
    )
    parser.add_argument(
        "--split-name",
        action="append",
        default=[],
        type=_split_name,
        metavar="THEIRS=OURS",
        help="what the table calls training, validation and test, as in 1=training; may be repeated",
    )


def data_layout(arguments: argparse.Namespace) -> dict[str, Any]:
    """Returns what these arguments say, as ``fingerprint_dataset`` and ``build_datalist`` take it."""
    found = {
        "csv": arguments.csv,
        "columns": dict(arguments.column),
        "path_form": arguments.path_form,
        "split_names": dict(arguments.split_name),
        "patient_pattern": arguments.patient,
    }
    return {name: value for name, value in found.items() if value}


def _split_name(text: str) -> tuple[str, str]:
    theirs, _, ours = text.partition("=")
    if ours not in ("training", "validation", "test") or not theirs:
        raise argparse.ArgumentTypeError(f"expected a value, = and training, validation or test, got {text}")
    return theirs, ours


def _column(text: str) -> tuple[str, str]:
    ours, _, theirs = text.partition("=")
    if ours not in ("path", "label", "patient", "split") or not theirs:
        raise argparse.ArgumentTypeError(f"expected path, label, patient or split, = and a column's name, got {text}")
    return ours, theirs


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of 1 or more, got {text}")
    return int(text)


def _run(arguments: argparse.Namespace) -> int:
    from ..fingerprint import fingerprint_dataset

    logging.getLogger("nibabel").setLevel(logging.CRITICAL)
    out = arguments.out or Path(f"fingerprint-{arguments.data.resolve().name}")
    try:
        content = fingerprint_dataset(
            arguments.data,
            out,
            **data_layout(arguments),
            use_folders=not arguments.no_classes,
            workers=arguments.workers,
            progress=not arguments.quiet,
        )
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; run the same command again to go on from here\n")
        return INTERRUPTED
    if not arguments.quiet:
        _show(content)
        sys.stdout.write(f"written to {out / 'fingerprint.html'} and fingerprint.json\n")
    for finding in content["findings"]:
        if arguments.quiet and finding["weight"] == "problem":
            sys.stderr.write(f"{finding['title']}: {finding['count']}\n")
    return 2 if content["summary"]["problem"] else 0


def _show(content: dict[str, Any]) -> None:
    """Prints the data set in a few lines, and each finding with its first file."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ..fingerprint import headline

    console = Console(width=None if sys.stdout.isatty() else 200, highlight=False)
    facts = Table(box=None, pad_edge=False, show_header=False)
    for name, value in headline(content):
        facts.add_row(Text(name), Text(_shown(value)))  # Text: square brackets in a name are no markup
    console.print(facts)
    if not content["findings"]:
        console.print("Nothing to look at.")
        return
    table = Table(box=None, pad_edge=False)
    for column in ("", "finding", "number", "for one"):
        table.add_column(column, overflow="fold", justify="right" if column == "number" else "left")
    for finding in content["findings"]:
        first = finding["files"][0]
        detail = first.get("detail", "")
        one = detail if detail.startswith(first["path"]) else first["path"]
        table.add_row(finding["weight"], finding["title"], str(finding["count"]), Text(_shown(one)))
    console.print(table)


def _shown(name: str) -> str:
    """Returns a text that a terminal can print: what is no printable character becomes a question mark."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)
