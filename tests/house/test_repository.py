"""What lies in the repository: portable files, readable configs, and pins that agree with pyproject.toml."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from monai_medmamba.version import __version__

tomllib = pytest.importorskip("tomllib", reason="tomllib came with Python 3.11, which the pins need as well")

ROOT = Path(__file__).parents[2]
MAX_BYTES = 1_000_000
PINNED_EXTRAS = ("docs", "dev", "dicom", "itk", "volumes")  # cuda and label: in environments of their own
PERSONAL_PATH = re.compile(rb"(?<![\w.\-/])/(?:home|Users|root|work)/\w|\b[A-Z]:\\Users\\\w")


def repository_files() -> list[Path]:
    """Return the files that git tracks or would track."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"not a git checkout: {error}")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def file_faults(content: bytes) -> list[str]:
    """Return what is wrong with the bytes of a file."""
    found = []
    if len(content) > MAX_BYTES:
        found.append(f"{len(content)} bytes, at most {MAX_BYTES}; large files belong outside the repository")
    if b"\0" in content:
        return found  # an image or an archive
    if b"\r\n" in content:
        found.append("has Windows line ends")
    if path := PERSONAL_PATH.search(content):
        line = content[: path.start()].count(b"\n") + 1
        found.append(f"line {line} names a folder of one machine")
    return found


def json_faults(text: str) -> list[str]:
    """Return what is wrong with the text of a JSON file; a key given twice shows as well, since it reads back once."""
    content = json.loads(text)
    pretty = {json.dumps(content, indent=4, ensure_ascii=ascii_only) + "\n" for ascii_only in (True, False)}
    return [] if text in pretty else ["is not pretty-printed with 4 spaces, or gives a key twice"]


def pins(text: str) -> dict[str, tuple[Requirement, str]]:
    """Return requirement and reason of each line of a constraints file, by the package's name."""
    found = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            pin, _, reason = line.partition("#")
            requirement = Requirement(pin)
            found[normalised(requirement.name)] = (requirement, reason.strip())
    return found


def normalised(name: str) -> str:
    """Return a package's name as indexes write it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pin_faults(constraints: str, project: dict) -> list[str]:
    """Return where a constraints file and the ``[project]`` table of pyproject.toml disagree."""
    pinned = pins(constraints)
    extras = [line for extra in PINNED_EXTRAS for line in project["optional-dependencies"][extra]]
    wanted = [Requirement(line) for line in project["dependencies"] + extras]
    names = {normalised(requirement.name) for requirement in wanted}
    found = [f"{name}: pinned, but no direct dependency" for name in pinned.keys() - names]
    found += [f"{name}: not pinned" for name in names - pinned.keys()]
    for name, (pin, reason) in pinned.items():
        if [part.operator for part in pin.specifier] != ["=="]:
            found.append(f"{name}: pin it with ==")
        if not reason:
            found.append(f"{name}: say why in a comment")
    for requirement in wanted:
        pin = pinned.get(normalised(requirement.name), (Requirement("x"), ""))[0]
        found += [
            f"{normalised(requirement.name)}: {part.version} does not meet {requirement.specifier}"
            for part in pin.specifier
            if not requirement.specifier.contains(part.version)
        ]
    return sorted(found)


def test_files_are_portable():
    found = [
        f"{path.relative_to(ROOT)}: {fault}" for path in repository_files() for fault in file_faults(path.read_bytes())
    ]
    assert not found, "\n".join(found)


def test_bundle_configs_are_pretty_printed():
    files = [path for path in repository_files() if path.is_relative_to(ROOT / "bundles") and path.suffix == ".json"]
    found = [f"{path.relative_to(ROOT)}: {fault}" for path in files for fault in json_faults(path.read_text("utf-8"))]
    assert not found, "\n".join(found)


def test_the_changelog_names_the_version():
    assert f"\n## [{__version__}] - " in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_every_direct_dependency_is_pinned():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = pin_faults((ROOT / "constraints.txt").read_text(encoding="utf-8"), project)
    assert not found, "\n".join(found)


def test_the_build_script_runs():
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


@pytest.mark.parametrize(
    "content",
    [
        b"see /" + b"home/anna/data",
        b"path: '/" + b"Users/anna'",
        b"C:\\" + b"Users\\anna",
        b"one\r\ntwo",
        b"x" * (MAX_BYTES + 1),
    ],
)
def test_refuses_a_file(content):
    assert len(file_faults(content)) == 1


@pytest.mark.parametrize(
    "content", [b"https://host/a/home/b ../%b/x bundles/%b/y\n" % (b"work", b"work"), b"\0 /" + b"home/x \r\n", b""]
)
def test_accepts_a_file(content):
    assert file_faults(content) == []


@pytest.mark.parametrize(
    "text", ['{"a": 1}\n', '{\n  "a": 1\n}\n', '{\n    "a": 1\n}', '{\n    "a": 1,\n    "a": 1\n}\n']
)
def test_refuses_json(text):
    assert json_faults(text)


@pytest.mark.parametrize("text", ['{\n    "a": 1\n}\n', '{\n    "a": "é"\n}\n', '{\n    "a": "\\u00e9"\n}\n'])
def test_accepts_json(text):
    assert json_faults(text) == []


@pytest.mark.parametrize(
    ("constraints", "fault"),
    [
        ("torch==2.2  # why", None),
        ("torch==1.9  # why", "torch: 1.9 does not meet >=2"),
        ("torch>=2.2  # why", "torch: pin it with =="),
        ("torch==2.2", "torch: say why in a comment"),
        ("# nothing", "torch: not pinned"),
        ("torch==2.2  # why\ntyping_extensions==4  # why", "typing-extensions: pinned, but no direct dependency"),
    ],
)
def test_pins(constraints, fault):
    project = {"dependencies": ["Torch>=2"], "optional-dependencies": {extra: [] for extra in PINNED_EXTRAS}}
    assert fault in pin_faults(constraints, project) if fault else not pin_faults(constraints, project)
