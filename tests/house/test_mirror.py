"""The shape of the tree: tests mirror sources, files stay short, and a file's name says what is in it."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = "monai_medmamba"
MAX_LINES = 400
NAMES_THAT_SAY_NOTHING = {"utils", "util", "common", "helpers", "helper", "misc"}
WITHOUT_A_TEST = {"__init__", "__main__", "version"}  # names gathered, a call of cli.main, one constant
MIRRORED_ELSEWHERE = ("tests/house/", "tests/bundles/", "tests/examples/")
OTHER_SOURCES = ("testing", "benchmarks")  # tests/testing/test_backends.py checks testing/backends.py


def python_files(root: Path) -> list[str]:
    """Return the Python files of the package, of its tests and of their helpers, relative to ``root``."""
    folders = (PACKAGE, "tests", "testing", "benchmarks")
    return sorted(path.relative_to(root).as_posix() for folder in folders for path in (root / folder).rglob("*.py"))


def mirror_of(source: str) -> str:
    """Return the path of the test that belongs to a source file."""
    path = Path(source)
    if path.parts[0] == PACKAGE:
        path = path.relative_to(PACKAGE)
    return (Path("tests") / path.parent / f"test_{path.name}").as_posix()


def faults(root: Path) -> list[str]:
    """Return what is wrong with the names and lengths of the files below ``root``."""
    files = python_files(root)
    tests = {file for file in files if file.startswith("tests/") and Path(file).name.startswith("test_")}
    sources = {file for file in files if file.startswith(tuple(f"{folder}/" for folder in (PACKAGE, *OTHER_SOURCES)))}
    tested = {file for file in sources if file.startswith(PACKAGE) and Path(file).stem not in WITHOUT_A_TEST}
    mirrors = {mirror_of(file) for file in sources}

    found = [f"{file}: write {mirror_of(file)}" for file in tested if mirror_of(file) not in tests]
    found += [f"{test}: mirrors no source file" for test in tests - mirrors if not test.startswith(MIRRORED_ELSEWHERE)]
    for file in files:
        path = Path(file)
        lines = len((root / file).read_text(encoding="utf-8").splitlines())
        if lines > MAX_LINES:
            found.append(f"{file}: {lines} lines, at most {MAX_LINES}; give its second purpose a file of its own")
        if path.stem.removeprefix("test_") in NAMES_THAT_SAY_NOTHING:
            found.append(f"{file}: name the thing it holds")
        if file.startswith("tests/") and path.name == "__init__.py":
            found.append(f"{file}: tests are no package; remove it")
        if file.startswith(PACKAGE) and not (root / path.parent / "__init__.py").exists():
            found.append(f"{file}: its folder has no __init__.py")
    return sorted(found)


def test_the_tree_is_in_order():
    found = faults(ROOT)
    assert not found, "\n".join(found)


@pytest.fixture
def tree(tmp_path):
    """A small tree in order: one source file in a nested room, and its test."""
    for file in (
        f"{PACKAGE}/__init__.py",
        f"{PACKAGE}/version.py",
        f"{PACKAGE}/ops/__init__.py",
        f"{PACKAGE}/ops/scan/__init__.py",
        f"{PACKAGE}/ops/scan/cpu.py",
        "tests/conftest.py",
        "tests/ops/scan/test_cpu.py",
        "tests/house/test_anything.py",
        "testing/backends.py",
        "tests/testing/test_backends.py",
    ):
        write(tmp_path / file)
    assert faults(tmp_path) == []
    return tmp_path


def write(path: Path, lines: int = 1) -> None:
    """Write a file of ``lines`` lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("pass\n" * lines, encoding="utf-8")


def test_refuses_a_source_without_a_test(tree):
    (tree / "tests/ops/scan/test_cpu.py").unlink()
    assert faults(tree) == [f"{PACKAGE}/ops/scan/cpu.py: write tests/ops/scan/test_cpu.py"]


@pytest.mark.parametrize(
    ("file", "lines"),
    [
        ("tests/ops/test_nothing.py", 1),
        ("tests/testing/test_nothing.py", 1),
        ("tests/ops/__init__.py", 1),
        ("testing/common.py", 1),
        ("testing/long.py", MAX_LINES + 1),
        (f"{PACKAGE}/ops/new.py", 1),
    ],
)
def test_refuses(tree, file, lines):
    write(tree / file, lines)
    assert len(faults(tree)) == 1


def test_refuses_a_folder_that_is_no_package(tree):
    write(tree / PACKAGE / "data" / "splits.py")
    write(tree / "tests/data/test_splits.py")
    assert faults(tree) == [f"{PACKAGE}/data/splits.py: its folder has no __init__.py"]
