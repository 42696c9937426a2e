import subprocess
import sys
from types import ModuleType

import published
import pytest
import torch

# A stand-in with the habits of the published file: it does things when it is imported, and hides a failed import.
CODE = """
import torch
try:
    from mamba_ssm.ops.selective_scan_interface import selective_scan_fn
except:
    pass
LETTERS = ["a", "b"]
torch.__version__.never = 1

class SS2D(torch.nn.Module):
    def forward_core(self, x):
        return (x.flatten(2),) * 4

class VSSM(SS2D):
    pass

built = VSSM().to("cuda")
print(built(torch.randn(1, 3, 8, 8)))
if True:
    raise RuntimeError("runs")
"""
SCAN = """
from mamba_ssm.ops.triton.layer_norm import _layer_norm_fwd
import selective_scan_cuda

def selective_scan_fn(x):
    raise RuntimeError("needs a GPU")

def selective_scan_ref(x):
    return x
"""
CPU = torch.device("cpu")


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout, an installed mamba_ssm that cannot be imported as a whole, and timm's layers."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "MedMamba.py").write_text(CODE)
    scans = tmp_path / "site" / "mamba_ssm" / "ops"
    scans.mkdir(parents=True)
    (scans.parent / "__init__.py").write_text("raise ImportError('wants more')\n")
    (scans / "__init__.py").write_text("")
    (scans / "selective_scan_interface.py").write_text(SCAN)
    monkeypatch.syspath_prepend(scans.parents[1])
    for name in [name for name in sys.modules if name.split(".")[0] == "mamba_ssm"]:
        monkeypatch.delitem(sys.modules, name)
    layers = {name: ModuleType(name) for name in ("timm", "timm.layers", "timm.models", "timm.models.layers")}
    for name, module in layers.items():
        monkeypatch.setitem(sys.modules, name, module)
    yield folder
    for name in [name for name in sys.modules if name.split(".")[0] in ("mamba_ssm", published.MODULE)]:
        del sys.modules[name]


def test_only_definitions_are_run(checkout):
    network = published.load(checkout, CPU)
    assert network.__name__ == "VSSM"
    module = sys.modules[published.MODULE]
    assert module.LETTERS == ["a", "b"]
    assert module.selective_scan_fn(3) == 3
    assert not hasattr(module, "built")


def test_core_brings_the_sum_into_image_order(checkout):
    x = torch.randn(2, 5, 3, 4)
    assert torch.equal(published.core(published.load(checkout, CPU)(), x), 4 * x.movedim(1, -1))


def test_timm_may_be_missing(checkout, monkeypatch):
    for name in ("timm.models.layers", "timm.layers"):
        monkeypatch.setitem(sys.modules, name, None)
    published.load(checkout, CPU)
    assert sys.modules["timm.models.layers"].to_2tuple(3) == (3, 3)


def test_timm_may_have_moved_its_layers(checkout, monkeypatch):
    monkeypatch.setitem(sys.modules, "timm.models.layers", None)
    published.load(checkout, CPU)
    assert sys.modules["timm.models.layers"] is sys.modules["timm.layers"]


def test_a_folder_without_the_file(tmp_path):
    with pytest.raises(published.PublishedError, match=r"holds no MedMamba\.py: give --published"):
        published.load(tmp_path, CPU)


def test_another_file_of_that_name(checkout):
    (checkout / "MedMamba.py").write_text("class SS2D:\n    pass\n")
    with pytest.raises(published.PublishedError, match="defines no VSSM, selective_scan_fn"):
        published.load(checkout, CPU)


def test_a_scan_that_cannot_be_imported(checkout, tmp_path):
    (tmp_path / "site/mamba_ssm/ops/selective_scan_interface.py").write_text("import nowhere_at_all\n")
    with pytest.raises(published.PublishedError, match="nowhere_at_all"):
        published.load(checkout, CPU)


def test_without_mamba_ssm(checkout, monkeypatch):
    monkeypatch.setattr(published.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(published.PublishedError, match="pip install --no-build-isolation"):
        published.load(checkout, CPU)


def test_revision(tmp_path):
    git = ["git", "-C", str(tmp_path), "-c", "user.name=n", "-c", "user.email=e@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "m"], check=True)
    inside = tmp_path / "inside"
    inside.mkdir()
    assert len(published.revision(tmp_path)) == 40
    assert published.revision(inside) is None
