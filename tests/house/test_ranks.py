"""Who may import whom: ranks between the rooms, and a table of third-party packages for each room."""

import ast
import sys
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = "monai_medmamba"

# A file imports its own room and rooms of a lower rank.
RANKS = {
    "ops": 0,
    "layers": 1,
    "networks": 2,
    "transforms": 2,
    "data": 2,
    "metrics": 3,
    "visualize": 3,
    "handlers": 4,
    "distributed": 4,
    "fingerprint": 4,
    "bundle": 5,
    "dicom": 5,
    "inference": 5,
    "explain": 6,
    "export": 6,
    "planning": 6,
    "robustness": 6,
    "federated": 6,
    "information": 6,
    "label": 7,
    "cli": 8,
    "__main__": 9,
}
ANYONE = {"version", "files", "picture_formats", "discretion"}  # single files beside the rooms, open to all
TOP = "the package itself"  # `__init__.py` gathers the public names of all rooms
STRANGERS = {("data", "networks"), ("transforms", "networks"), ("metrics", "networks")}  # bundles join them

# What a room may import at module level besides the standard library; everything else is imported where it is used.
THIRD_PARTY = {
    "ops": {"torch", "numpy"},
    "layers": {"torch", "numpy", "monai"},
    "networks": {"torch", "numpy", "monai", "safetensors"},
    "transforms": {"torch", "numpy", "PIL", "monai"},
    "data": {"torch", "numpy", "PIL", "monai"},
    "metrics": {"torch", "numpy"},
    "visualize": {"torch", "numpy"},
    "handlers": {"torch", "numpy", "monai", "ignite"},
    "distributed": {"torch", "numpy", "monai", "ignite"},
    "fingerprint": {"numpy", "PIL"},
    "bundle": {"torch", "numpy", "monai"},
    "planning": set(),
    "dicom": {"ignite"},
    "inference": {"torch", "numpy", "monai"},
    "explain": {"torch", "numpy", "monai"},
    "export": {"torch"},
    "robustness": {"torch", "numpy", "monai"},
    "federated": {"torch", "numpy", "monai"},
    "label": {"torch", "numpy", "monai", "monailabel", "fastapi", "starlette"},
    "information": {"torch"},
    "cli": set(),
    "__main__": set(),
    "version": set(),
    "files": set(),
    "picture_formats": set(),
    "discretion": set(),
    TOP: {"torch", "monai"},
}

# Backends of one operation know neither each other nor the reference.
BACKENDS = {"reference", "chunked", "cpu", "cuda", "mamba_ssm"}


class Import(NamedTuple):
    """One imported name, in full."""

    name: str
    line: int
    at_module_level: bool


def imports(source: str, package: str) -> Iterator[Import]:
    """Yield every import of ``source``, a module of ``package``, except those under ``if TYPE_CHECKING:``."""

    def walk(node: ast.AST, at_module_level: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, at_module_level)
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package)
            for alias in node.names:
                yield Import(f"{base}.{alias.name}", node.lineno, at_module_level)
        elif isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}:
            for child in node.orelse:
                yield from walk(child, at_module_level)
        else:
            inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            for child in ast.iter_child_nodes(node):
                yield from walk(child, at_module_level and not inside)

    yield from walk(ast.parse(source), True)


def room_of(name: str) -> str:
    """Return the room that the full name of a module, or of something in it, belongs to."""
    second = name.split(".")[1] if "." in name else ""
    return second if second in RANKS or second in ANYONE else TOP


def faults(source: str, path: str) -> list[str]:
    """Return what is wrong with the imports of ``source``, which stands at ``path`` below the repository's root."""
    parts = Path(path).with_suffix("").parts
    room = room_of(".".join(parts))
    found = []
    for name, line, at_module_level in imports(source, ".".join(parts[:-1])):
        place = f"{path}:{line}"
        top_level = name.split(".")[0]
        if top_level != PACKAGE:
            known = top_level in sys.stdlib_module_names or top_level in THIRD_PARTY[room]
            if at_module_level and not known:
                found.append(f"{place}: {room} may not import {top_level} at module level; import it where it is used")
            continue
        other = room_of(name)
        if other in ANYONE or other == room or room == TOP:
            pass
        elif room in ANYONE or (room, other) in STRANGERS:
            found.append(f"{place}: {room} never imports {other}")
        elif other == TOP:
            if RANKS[room] < RANKS["cli"]:
                found.append(f"{place}: {room} imports the package itself; import the room that defines the name")
        elif RANKS[other] >= RANKS[room]:
            found.append(f"{place}: {room} (rank {RANKS[room]}) imports {other} (rank {RANKS[other]})")
        if parts[1] == "ops" and parts[-1] in BACKENDS:
            others = BACKENDS - {parts[-1]}
            if others & set(name.split(".")[len(parts) - 1 :]):
                found.append(f"{place}: backend {parts[-1]} imports another backend ({name})")
    return found


def test_every_import_keeps_the_ranks():
    found = []
    for file in sorted((ROOT / PACKAGE).rglob("*.py")):
        found += faults(file.read_text(encoding="utf-8"), file.relative_to(ROOT).as_posix())
    assert not found, "\n".join(found)


def test_every_room_has_a_rank():
    rooms = {path.name for path in (ROOT / PACKAGE).iterdir() if path.is_dir() and any(path.rglob("*.py"))}
    rooms |= {path.stem for path in (ROOT / PACKAGE).glob("*.py")} - {"__init__"}
    assert rooms <= RANKS.keys() | ANYONE, "give the room a rank here and in docs/concepts/architecture.md"
    assert RANKS.keys() <= THIRD_PARTY.keys()


def test_the_documents_show_the_same_ranks():
    picture = (ROOT / "docs" / "concepts" / "architecture.md").read_text(encoding="utf-8")
    missing = [room for room, rank in RANKS.items() if f"| `{room}` | {rank} |" not in picture]
    assert not missing, f"docs/concepts/architecture.md lacks a row with the rank of {missing}"


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("ops/a.py", "import monai"),
        ("ops/a.py", "from monai.utils import optional_import"),
        ("ops/a.py", "try:\n    import triton\nexcept ImportError:\n    triton = None"),
        ("ops/a.py", "from ..layers import SS2D"),
        ("ops/deep/a.py", "from ... import layers"),
        ("ops/a.py", "def f():\n    from monai_medmamba.layers import SS2D"),
        ("ops/a.py", "import monai_medmamba"),
        ("ops/a.py", "from monai_medmamba import MedMamba"),
        ("ops/a.py", "import monai_medmamba.networks.medmamba as m"),
        ("ops/scan/cpu.py", "from .reference import scan"),
        ("ops/scan/cpu.py", "from . import chunked"),
        ("ops/scan/cpu.py", "from monai_medmamba.ops.scan.cuda import scan"),
        ("networks/a.py", "from ..transforms import ToRGB"),
        ("metrics/a.py", "from ..networks import MedMamba"),
        ("metrics/a.py", "import sklearn"),
        ("handlers/a.py", "if TYPE_CHECKING:\n    pass\nelse:\n    from ..bundle import plan"),
        ("cli.py", "import torch"),
        ("__init__.py", "import pydicom"),
        ("version.py", "from .ops import x"),
        ("files.py", "from monai_medmamba import ops"),
    ],
)
def test_refuses(path, source):
    assert len(faults(source, f"{PACKAGE}/{path}")) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("ops/a.py", "from __future__ import annotations\nimport math\nimport torch.nn.functional as F"),
        ("ops/scan/cpu.py", "from .validation import check\nfrom ..backend import Backend"),
        ("ops/scan/api.py", "from . import reference\nfrom .chunked import CHUNKED"),
        ("ops/scan/mamba_ssm.py", "def f():\n    import selective_scan_cuda"),
        ("ops/a.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ..layers import SS2D"),
        ("layers/a.py", "from monai_medmamba.ops import x\nfrom . import b\nfrom ..files import atomic_path"),
        ("handlers/a.py", "from ..metrics import six\nfrom ..networks import MedMamba"),
        ("cli.py", "import argparse\ndef f():\n    import torch\n    from monai_medmamba import networks, MedMamba"),
        ("__main__.py", "from monai_medmamba.cli import main"),
        ("__init__.py", "from monai_medmamba.networks import MedMamba\nfrom .version import __version__"),
    ],
)
def test_accepts(path, source):
    assert faults(source, f"{PACKAGE}/{path}") == []
