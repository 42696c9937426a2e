import pytest

from testing.backends import VARIABLE, require_backend, required_backends


def test_goes_on_without_reasons(monkeypatch):
    monkeypatch.setenv(VARIABLE, "cuda")
    require_backend("cuda", [])


def test_skips_with_every_reason(monkeypatch):
    monkeypatch.setenv(VARIABLE, "mamba_ssm")
    with pytest.raises(pytest.skip.Exception, match="backend cuda cannot run here: no device; no compiler"):
        require_backend("cuda", ["no device", "no compiler"])


def test_fails_where_the_backend_must_run(monkeypatch):
    monkeypatch.setenv(VARIABLE, "cuda, mamba_ssm")
    with pytest.raises(pytest.fail.Exception, match="no device"):
        require_backend("mamba_ssm", ["no device"])


def test_required_backends(monkeypatch):
    monkeypatch.setenv(VARIABLE, " cuda,,mamba_ssm ")
    assert required_backends() == {"cuda", "mamba_ssm"}
    monkeypatch.delenv(VARIABLE)
    assert required_backends() == set()
