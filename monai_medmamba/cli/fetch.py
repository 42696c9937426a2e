"""``medmamba fetch``: a public data set from its publisher."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

__all__ = ["add_to"]


def add_to(commands: argparse._SubParsersAction) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "fetch",
        help="download a public data set, or list them",
        description="Download a public data set from its publisher and unpack it. The licence is shown first and has "
        "to be accepted. A download that breaks off goes on with the next call; size and checksum are compared where "
        "the publisher gives them. Without a name, list the sets.",
        epilog="examples: medmamba fetch kvasir --out data/kvasir --accept-licence   "
        "medmamba fetch breastmnist_64 --accept-licence   medmamba fetch pad --from zr7vgbcyr2-1.zip --accept-licence",
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="of the set")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="for the images (default: the name)")
    parser.add_argument("--from", dest="source", type=Path, metavar="FILE", help="a copy at hand: download nothing")
    parser.add_argument("--accept-licence", action="store_true", help="you have read the licence and accept it")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress bar")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from tqdm.auto import tqdm

    from ..data.fetch import fetch_set, find_set, list_sets

    if arguments.name is None:
        width = max(len(entry.name) for entry in list_sets())
        sys.stdout.write("".join(f"{entry.name:{width}}  {entry.title}\n" for entry in list_sets()))
        return 0
    wanted = find_set(arguments.name)
    sys.stdout.write(f"{wanted.title}\nLicence: {wanted.licence}\nPublisher: {wanted.page}\n")
    sys.stdout.flush()
    if not arguments.accept_licence:
        raise ValueError(
            f"read the licence at {wanted.page}, and if you accept it, say the same again with --accept-licence"
        )
    with tqdm(unit="B", unit_scale=True, desc=wanted.file, disable=arguments.quiet or arguments.source) as bar:

        def show(have: int, total: int | None) -> None:
            bar.total = total
            bar.update(have - bar.n)

        place = fetch_set(wanted, arguments.out or Path(wanted.name), arguments.source, show)
    sys.stdout.write(f"{place}\n")
    return 0
