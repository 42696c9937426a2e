import json

import pytest
import torch

from monai_medmamba.export.torchscript_file import FORMAT
from monai_medmamba.networks import MedMamba
from testing.backends import require_on_cpu

LOAD = """
import sys, torch
assert not [name for name in sys.modules if name.startswith("monai")]
if sys.argv[4:]:
    import monai_medmamba.ops
images, expected = torch.load(sys.argv[2]), torch.load(sys.argv[3])
with torch.no_grad():
    found = torch.jit.load(sys.argv[1])(images)
torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
print("monai" in sys.modules)
"""


def with_backend(network, backend):
    again = MedMamba(**network.settings, backend=backend)
    again.load_state_dict(network.state_dict())
    return again.eval()


def write(network, folder, **texts):
    return FORMAT.write(network.fuse(), folder / "m.ts", torch.randn(2, 3, 32, 32), False, texts)


def test_exports(either, tmp_path):
    """Any batch and any size, from one trace."""
    network = with_backend(either, "chunked")
    edges = (36, 40, 33)[: network.spatial_dims]
    FORMAT.write(network.fuse(), tmp_path / "m.ts", torch.randn(2, network.in_channels, *edges), False, {})
    run = FORMAT.load(tmp_path / "m.ts")
    with torch.no_grad():
        for batch, more in ((1, 0), (3, 7)):
            images = torch.randn(batch, network.in_channels, *(edge + more for edge in edges))
            torch.testing.assert_close(run(images), either(images), atol=1e-5, rtol=1e-4)


def test_loads_where_nothing_of_ours_is(network, tmp_path, fresh_process):
    images = torch.randn(3, 3, 48, 41)
    torch.save(images, tmp_path / "x.pt")
    torch.save(network(images).detach(), tmp_path / "y.pt")
    remark = FORMAT.write(
        with_backend(network, "chunked").fuse(), tmp_path / "m.ts", torch.randn(2, 3, 32, 32), False, {}
    )
    assert "loads without this package" in remark
    done = fresh_process(LOAD, tmp_path / "m.ts", tmp_path / "x.pt", tmp_path / "y.pt")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "False"


def test_calls_the_operator_for_another_backend(network, tmp_path, fresh_process):
    require_on_cpu("cpu")
    images = torch.randn(1, 3, 48, 41)
    torch.save(images, tmp_path / "x.pt")
    torch.save(network(images).detach(), tmp_path / "y.pt")
    remark = write(with_backend(network, "cpu"), tmp_path)
    assert "import monai_medmamba.ops" in remark
    files = [tmp_path / name for name in ("m.ts", "x.pt", "y.pt")]
    refused = fresh_process(LOAD, *files)
    assert refused.returncode != 0
    assert "monai_medmamba::cross_selective_scan" in refused.stderr
    done = fresh_process(LOAD, *files, "with the operator")
    assert done.returncode == 0, done.stderr


def test_keeps_texts(network, tmp_path):
    write(network, tmp_path, k=json.dumps([1]))
    kept = {"k": ""}
    torch.jit.load(str(tmp_path / "m.ts"), _extra_files=kept)
    assert json.loads(kept["k"]) == [1]


@pytest.mark.parametrize("size", [(32, 32), (63, 33)])
def test_matches_reference(network, tmp_path, size):
    write(with_backend(network, "chunked"), tmp_path)
    images = torch.randn(2, 3, *size)
    with torch.no_grad():
        expected = with_backend(network, "reference")(images)
        torch.testing.assert_close(FORMAT.load(tmp_path / "m.ts")(images), expected, atol=1e-5, rtol=1e-4)
