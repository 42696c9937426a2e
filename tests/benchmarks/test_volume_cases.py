import pytest
from volume_cases import OURS, PEERS, STEM, Scale, forward_cases, scaling_cases, training_cases


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("cases", [forward_cases, training_cases])
def test_every_network_runs_at_every_size_in_every_mode(device, cases):
    scale = Scale.of(device)
    found = cases(scale, device)
    assert len(set(found)) == len(found)
    assert {(case.network, case.space) for case in found} == {
        (n, s) for n in (*OURS, *PEERS, STEM) for s in scale.spaces
    }
    for peer in PEERS:
        modes = {case.mode for case in found if case.network == peer}
        assert modes == ({"eager"} if device == "cpu" else {"eager", "graph"})
    assert {case.precision for case in found} == ({"fp32"} if device == "cpu" else {"bf16"})


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_volumes_grow_by_one_network_in_one_mode(device):
    found = scaling_cases(Scale.of(device), device)
    for kind in ("forward", "training step"):
        mine = [case for case in found if case.kind == kind]
        assert len({(case.network, case.mode) for case in mine}) == 1
        assert len({case.space for case in mine}) == len(mine) >= 2


def test_fields_name_a_row():
    row = forward_cases(Scale.quick(), "cpu")[0].fields()
    assert (row["what"], row["space"], row["dtype"], row["mode"]) == ("forward", [32, 32, 32], "float32", "eager")
