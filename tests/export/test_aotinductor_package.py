import shutil

import pytest
import torch
import torch._inductor
from torch._inductor.exc import InductorError

from monai_medmamba.export.aotinductor_package import FORMAT
from monai_medmamba.networks import MedMamba

LOAD = """
import sys, torch
import monai_medmamba.ops
images, expected = torch.load(sys.argv[2]), torch.load(sys.argv[3])
package = torch._inductor.aoti_load_package(sys.argv[1])
with torch.no_grad():
    for some in (images, images[:1]):
        torch.testing.assert_close(package(some), expected[: len(some)], atol=1e-5, rtol=1e-4)
print(package.get_metadata()["k"])
"""

WITHOUT_A_COMPILER = """
import pathlib, sys, torch
from monai_medmamba.export.aotinductor_package import FORMAT
from monai_medmamba.networks import MedMamba
network = MedMamba(num_classes=2, depths=(1,), dims=(8,), d_state=2).eval().fuse()
try:
    FORMAT.write(network, pathlib.Path(sys.argv[1]), torch.randn(2, 3, 32, 32), False, {})
except RuntimeError as error:
    print(error)
"""


@pytest.mark.skipif(shutil.which("g++") is None, reason="a package is compiled with a C++ compiler")
def test_exports(tmp_path, fresh_process):
    """Any batch, in a process that imports the operator alone."""
    network = MedMamba(num_classes=3, depths=(1,), dims=(8,), d_state=4).eval()
    images = torch.randn(3, 3, 40, 40)
    torch.save(images, tmp_path / "x.pt")
    torch.save(network(images).detach(), tmp_path / "y.pt")
    FORMAT.write(network.fuse(), tmp_path / "m.pt2", torch.randn(2, 3, 40, 40), False, {"k": "kept"})
    done = fresh_process(LOAD, tmp_path / "m.pt2", tmp_path / "x.pt", tmp_path / "y.pt")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "kept"


def test_says_that_there_is_no_compiler(tmp_path, fresh_process, monkeypatch):
    """In a process whose compiler is nowhere: what Inductor then raises is its own affair."""
    monkeypatch.setenv("CXX", str(tmp_path / "nowhere"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "cache"))
    done = fresh_process(WITHOUT_A_COMPILER, tmp_path / "m.pt2")
    assert done.returncode == 0, done.stderr
    assert "install GCC or Clang" in done.stdout


def test_another_error_of_the_compiler_stays_what_it_is(tmp_path, monkeypatch):
    def refuse(*_arguments, **_settings):
        raise InductorError(ValueError("something else"), None)

    monkeypatch.setattr(torch._inductor, "aoti_compile_and_package", refuse)
    network = MedMamba(num_classes=3, depths=(1,), dims=(8,), d_state=4).eval()
    with pytest.raises(InductorError, match="something else"):
        FORMAT.write(network.fuse(), tmp_path / "m.pt2", torch.randn(2, 3, 40, 40), False, {})
