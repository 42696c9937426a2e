import pytest
import torch

from monai_medmamba.export.exported_program import FORMAT, capture, remark, smallest_free_edges
from monai_medmamba.networks import MedMamba

LOAD = """
import sys, torch
import monai_medmamba.ops
images, expected = torch.load(sys.argv[2]), torch.load(sys.argv[3])
kept = {"k": ""}
with torch.no_grad():
    found = torch.export.load(sys.argv[1], extra_files=kept).module()(images)
torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
print(kept["k"])
"""


def test_exports(either, tmp_path):
    edges = (36, 40, 33)[: either.spatial_dims]
    sample = torch.randn(2, either.in_channels, *edges)
    FORMAT.write(either.fuse(), tmp_path / "m.pt2", sample, True, {})
    run = FORMAT.load(tmp_path / "m.pt2")
    with torch.no_grad():
        for batch, more in ((1, 0), (3, 7)):
            images = torch.randn(batch, either.in_channels, *(edge + more for edge in edges))
            torch.testing.assert_close(run(images), either(images), atol=1e-5, rtol=1e-4)


def test_the_graph_holds_one_operator_a_block(network):
    program = capture(network.fuse(), torch.randn(2, 3, 32, 32), dynamic_size=False)
    scans = [node for node in program.graph.nodes if "cross_selective_scan" in str(node.target)]
    assert len(scans) == sum(network.depths)


def test_loads_beside_the_operator_alone(network, tmp_path, fresh_process):
    images = torch.randn(3, 3, 40, 40)
    torch.save(images, tmp_path / "x.pt")
    torch.save(network(images).detach(), tmp_path / "y.pt")
    FORMAT.write(network.fuse(), tmp_path / "m.pt2", torch.randn(2, 3, 40, 40), False, {"k": "kept"})
    done = fresh_process(LOAD, tmp_path / "m.pt2", tmp_path / "x.pt", tmp_path / "y.pt")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "kept"


@pytest.mark.parametrize(("stages", "edge"), [(1, 8), (2, 16), (4, 64)])
def test_the_smallest_edge_leaves_two_positions_in_the_last_map(stages, edge):
    network = MedMamba(num_classes=2, depths=(1,) * stages, dims=tuple(8 * 2**i for i in range(stages)), d_state=2)
    assert smallest_free_edges(network) == (edge, edge)
    edge = max(edge, 32)
    assert network.eval().forward_features(torch.zeros(1, 3, edge, edge))[-1].shape[-1] >= 2
    assert f"edges of {smallest_free_edges(network)[0]} pixels" in remark(network, dynamic_size=True)
    assert "edges" not in remark(network, dynamic_size=False)
