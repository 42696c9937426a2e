import pytest

pytest.importorskip("onnxruntime", reason="runs ONNX files")
onnx_formulations = pytest.importorskip("onnx_formulations", reason="needs onnx")

SIZES = (56, 2, 3, 5)


@pytest.fixture(scope="module")
def known():
    return onnx_formulations.tensors(SIZES)


@pytest.mark.parametrize("name", onnx_formulations.formulations(SIZES[0]))
def test_every_formulation_computes_the_scan(name, known):
    write = onnx_formulations.formulations(SIZES[0])[name]
    found = onnx_formulations.time_one(write, SIZES, 1, 1, known)
    assert found["error"] < 1e-5
    assert found["ms"] > 0
