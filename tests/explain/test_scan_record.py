import torch

from monai_medmamba.explain import ScanRecord
from monai_medmamba.ops import cross_selective_scan


def test_notes_every_scan_with_its_arguments(network):
    x = torch.randn(2, 3, 40, 36)
    expected = network.eval()(x)
    with ScanRecord() as record:
        found = network(x)
    assert torch.equal(found, expected)
    assert [call.y.shape[:3] for call in record.calls] == [(2, 10, 9), (2, 5, 4), (2, 5, 4)]
    for call in record.calls:
        assert torch.equal(cross_selective_scan(*call.tensors, backend=call.backend or None), call.y)


def test_results_keep_their_graph(network):
    x = torch.randn(1, 3, 32, 32)
    with ScanRecord() as record:
        score = network.eval()(x)[0, 1]
    grads = torch.autograd.grad(score, [call.y for call in record.calls])
    assert all(grad.abs().max() > 0 for grad in grads)


def test_notes_nothing_outside(network):
    with ScanRecord() as record:
        pass
    network(torch.zeros(2, 3, 32, 32))
    assert record.calls == []
