import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from monai_medmamba.ops import nvrtc

SOURCE = """
extern "C" __global__ void add(const float* x, float* y, int n) {
    if (threadIdx.x < n) y[threadIdx.x] = x[threadIdx.x] + AMOUNT;
}
"""


@pytest.fixture
def fresh():
    nvrtc.missing.cache_clear()
    yield
    nvrtc.missing.cache_clear()


def test_a_missing_compiler_is_named_with_its_cure(monkeypatch, fresh):
    monkeypatch.setitem(sys.modules, "cuda.bindings", None)
    assert "cannot be loaded" in nvrtc.missing()
    assert "pip install cuda-bindings" in nvrtc.missing()


def test_the_cache_is_where_the_variable_says(monkeypatch, tmp_path):
    monkeypatch.setenv(nvrtc.CACHE_VARIABLE, str(tmp_path))
    assert nvrtc.cache_folder() == tmp_path


def test_the_cache_is_in_the_users_cache_otherwise(monkeypatch, tmp_path):
    monkeypatch.delenv(nvrtc.CACHE_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert nvrtc.cache_folder() == tmp_path / "monai_medmamba"


def test_a_cache_that_cannot_be_written_is_a_warning(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    nvrtc._keep(b"code", tmp_path / "file" / "key.cubin")
    assert nvrtc.CACHE_VARIABLE in caplog.text


def test_code_is_kept_whole(tmp_path):
    nvrtc._keep(b"code", tmp_path / "deep" / "key.cubin")
    assert [file.read_bytes() for file in Path(tmp_path / "deep").iterdir()] == [b"code"]


@pytest.mark.gpu
def test_compiles_once_and_runs(monkeypatch, tmp_path):
    monkeypatch.setenv(nvrtc.CACHE_VARIABLE, str(tmp_path))
    x = torch.arange(4.0, device="cuda")
    for _ in range(2):
        y = torch.zeros_like(x)
        nvrtc.Program(SOURCE, {"AMOUNT": 3}, x.device).launch("add", 1, 32, 0, [x, y, 4])
        assert y.tolist() == [3.0, 4.0, 5.0, 6.0]
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.gpu
def test_a_refused_source_shows_the_compilers_words(monkeypatch, tmp_path):
    monkeypatch.setenv(nvrtc.CACHE_VARIABLE, str(tmp_path))
    with pytest.raises(RuntimeError, match="nonsense"):
        nvrtc.Program("nonsense", {}, torch.device("cuda"))


@pytest.mark.gpu
def test_runs_in_a_thread_where_nothing_of_cuda_ran_before():
    x, y = torch.arange(4.0, device="cuda"), torch.zeros(4, device="cuda")
    program = nvrtc.Program(SOURCE, {"AMOUNT": 1}, x.device)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(program.launch, "add", 1, 32, 0, [x, y, 4]).result()
    torch.cuda.synchronize()
    assert y.tolist() == [1.0, 2.0, 3.0, 4.0]
