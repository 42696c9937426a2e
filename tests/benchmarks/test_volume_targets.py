import pytest
from volume_targets import VOLUME_TARGETS

TARGETS = {target.name: target for target in VOLUME_TARGETS}


@pytest.fixture
def record():
    rows = []
    for kind, times in (("forward", (2.0, 2.1)), ("training step", (4.0, 5.0))):
        for edge, took in zip((64, 128), times, strict=True):
            rows.append({"section": "scaling", "what": kind, "space": [edge] * 3, "ns_per_voxel": took})
        ratio = {"what": "time per voxel", "of": kind, "from": [64] * 3, "to": [128] * 3, "ratio": times[1] / times[0]}
        rows.append({"section": "scaling", **ratio})
    return {"quick": False, "rows": rows}


def test_values(record):
    assert TARGETS["cpu_volumes_forward"].read(record) == (1.05, ("64 x 64 x 64: 2 ns", "128 x 128 x 128: 2.1 ns"))
    assert TARGETS["gpu_volumes_training"].read(record).value == 1.25
    assert TARGETS["gpu_volumes_training"].state(1.25) == "missed"


@pytest.mark.parametrize("change", [{"rows": []}, {"quick": True}], ids=str)
@pytest.mark.parametrize("name", TARGETS)
def test_a_record_without_the_rows(name, record, change):
    with pytest.raises(LookupError):
        TARGETS[name].read({**record, **change})
