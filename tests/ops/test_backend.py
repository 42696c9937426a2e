import logging

import pytest

from monai_medmamba.ops import backend as module
from monai_medmamba.ops.backend import BACKEND_VARIABLE, Backend, BackendError, choose, requested_name


def make(name, *reasons):
    return Backend(name, lambda x: x, lambda g, x: g, lambda x: list(reasons))


def test_auto_takes_the_first_that_can():
    assert choose([make("a", "too small"), make("b"), make("c")], "auto", [0]).name == "b"


def test_auto_says_once_what_it_took(caplog):
    module._say_once.cache_clear()
    with caplog.at_level(logging.INFO, logger=module.__name__):
        for _ in range(3):
            choose([make("a", "too small"), make("b")], "auto", [0])
    assert [record.getMessage() for record in caplog.records] == ["cross_selective_scan: backend 'auto' took 'b'"]


def test_a_named_backend_that_cannot_run_gives_every_reason():
    with pytest.raises(BackendError, match=r"'a'.*no module; needs CUDA"):
        choose([make("a", "no module", "needs CUDA"), make("b")], "a", [0])


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(BackendError, match=r"'z'.*a, b"):
        choose([make("a"), make("b")], "z", [0])


def test_nothing_can_run():
    with pytest.raises(BackendError, match=r"a \(no\), b \(never\)"):
        choose([make("a", "no"), make("b", "never")], "auto", [0])


def test_argument_goes_before_environment(monkeypatch):
    monkeypatch.setenv(BACKEND_VARIABLE, "b")
    assert requested_name("a") == "a"
    assert requested_name(None) == requested_name("") == "b"
    monkeypatch.delenv(BACKEND_VARIABLE)
    assert requested_name(None) == "auto"


def test_the_environment_is_binding_too(monkeypatch):
    monkeypatch.setenv(BACKEND_VARIABLE, "a")
    with pytest.raises(BackendError, match="'a'"):
        choose([make("a", "no module"), make("b")], None, [0])
