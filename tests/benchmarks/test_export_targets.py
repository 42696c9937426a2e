import pytest
from export_targets import EXPORT_TARGETS

READ = {target.name: target.read for target in EXPORT_TARGETS}


@pytest.fixture
def record():
    return {
        "variant": "tiny",
        "rows": [
            {"name": "onnx", "ms": 90.0, "eager_ms": 40.0, "remark": "1,192 nodes, opset 20", "probability_off": 1e-7},
            {"name": "torchscript", "failed": "RuntimeError"},
            {"name": "aotinductor", "ms": 30.0, "eager_ms": 40.0, "remark": "", "probability_off": 2e-6},
        ],
    }


def test_values(record):
    assert READ["onnx_time"](record).value == 2.25
    assert READ["onnx_nodes"](record).value == 1192
    assert READ["export_probability_off"](record) == (2e-6, ("aotinductor",))


@pytest.mark.parametrize("name", READ)
def test_a_record_without_the_rows(name, record):
    with pytest.raises(LookupError):
        READ[name]({**record, "rows": record["rows"][1:2]})


def test_nodes_of_another_network_are_not_taken(record):
    with pytest.raises(LookupError):
        READ["onnx_nodes"]({**record, "variant": "nano"})
