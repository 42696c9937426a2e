"""What importing the package costs: it lives without every optional package, and leaves no trace."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = "monai_medmamba"

# MONAI 1.6.1 and Ignite 0.5.5 import some of these where they find them, and live without all of them.
OPTIONAL = [
    "dicomweb_client",
    "fhir",
    "highdicom",
    "itk",
    "jinja2",
    "matplotlib",
    "mamba_ssm",
    "mlflow",
    "monailabel",
    "nibabel",
    "onnx",
    "onnxruntime",
    "onnxscript",
    "pydicom",
    "rich",
    "selective_scan_cuda",
    "sklearn",
    "tensorboard",
    "triton",
]

# Both scripts get a JSON list as their first argument and print a JSON object as their last line.
IMPORT_WITHOUT = """
import importlib, io, json, os, sys
from contextlib import redirect_stdout

modules, absent = json.loads(sys.argv[1])

class Without:
    # Wraps a finder, and finds everything but the absent packages: find_spec gives None, import raises ImportError.
    def __init__(self, finder):
        self.finder = finder
    def __getattr__(self, name):
        return getattr(self.finder, name)
    def find_spec(self, name, *rest):
        return None if name.partition(".")[0] in absent else self.finder.find_spec(name, *rest)

sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]

import monai

written = []
def note_writes(event, arguments):
    if event == "open":
        path, mode, flags = arguments
        if (flags or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            written.append(str(path))
    elif event in ("os.mkdir", "os.rename", "os.remove"):
        written.append(str(arguments[0]))
sys.addaudithook(note_writes)

failed = {}
printed = io.StringIO()
with redirect_stdout(printed):
    for module in modules:
        try:
            importlib.import_module(module)
        except Exception as error:
            failed[module] = f"{type(error).__name__}: {error}"
loaded = [name for name in absent if name in sys.modules]
print(json.dumps({"failed": failed, "printed": printed.getvalue(), "written": written, "loaded": loaded}))
"""

IMPORT_AFTER_MONAI = """
import json, sys
import monai
before = set(sys.modules)
import monai_medmamba
print(json.dumps({"loaded": sorted(name for name in set(sys.modules) - before if name in json.loads(sys.argv[1]))}))
"""


def run(script: str, argument: list, root: Path, folder: Path) -> dict:
    """Run a script in a fresh process that finds the package below ``root``, and return what it reports."""
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", script, json.dumps(argument)]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def modules(root: Path) -> list[str]:
    """Return the dotted names of the package's modules; importing ``__main__`` would run the command."""
    names = []
    for path in sorted((root / PACKAGE).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        if parts[-1] != "__main__" and parts[1] != "label":  # the label room lives beside MONAI Label alone
            names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return names


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """What happened when every module was imported without the optional packages."""
    return run(IMPORT_WITHOUT, [modules(ROOT), OPTIONAL], ROOT, tmp_path_factory.mktemp("bare"))


def test_every_module_lives_without_the_optional_packages(report):
    assert report["loaded"] == [], "the test itself hides nothing"
    assert report["failed"] == {}


def test_importing_prints_nothing(report):
    assert report["printed"] == ""


def test_importing_writes_nothing(report):
    assert report["written"] == []


def test_the_package_adds_nothing_optional_to_monai(tmp_path):
    report = run(IMPORT_AFTER_MONAI, OPTIONAL, ROOT, tmp_path)
    assert report["loaded"] == [], "import it where it is used"


def test_a_careless_package_is_caught(tmp_path):
    package = tmp_path / PACKAGE
    package.mkdir()
    (tmp_path / "monai.py").write_text("")  # in MONAI's place, for speed
    (package / "__init__.py").write_text("print('hello')\nopen('trace', 'w').close()\n")
    (package / "viewer.py").write_text("import rich\n")
    (package / "careful.py").write_text("try:\n    import rich\nexcept ImportError:\n    rich = None\n")
    report = run(IMPORT_WITHOUT, [modules(tmp_path), OPTIONAL], tmp_path, tmp_path)
    assert report["printed"] == "hello\n"
    assert report["written"] == ["trace"]
    assert report["failed"] == {f"{PACKAGE}.viewer": "ModuleNotFoundError: No module named 'rich'"}

    (package / "__init__.py").write_text("import jinja2\n")
    assert run(IMPORT_AFTER_MONAI, OPTIONAL, tmp_path, tmp_path)["loaded"] == ["jinja2"]
