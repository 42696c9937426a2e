import shutil

import pytest
import torch
import torch._inductor
from torch._inductor.exc import InvalidCxxCompiler

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


def test_says_that_there_is_no_compiler(network, tmp_path, monkeypatch):
    def refuse(*_arguments, **_settings):
        raise InvalidCxxCompiler

    monkeypatch.setattr(torch._inductor, "aoti_compile_and_package", refuse)
    with pytest.raises(RuntimeError, match="install GCC or Clang"):
        FORMAT.write(network.fuse(), tmp_path / "m.pt2", torch.randn(2, 3, 40, 40), False, {})
