import pytest
import torch

from monai_medmamba.bundle import describe_trained


def test_reads_what_the_checkpoint_says(tmp_path):
    torch.save({"model": {}, "description": {"variant": "nano"}}, tmp_path / "model.pt")
    assert describe_trained(tmp_path / "model.pt", untrained={"variant": "tiny"}) == {"variant": "nano"}


def test_without_a_checkpoint(tmp_path):
    assert describe_trained(tmp_path / "model.pt", untrained={"variant": "tiny"}) == {"variant": "tiny"}
    with pytest.raises(FileNotFoundError, match="run training first"):
        describe_trained(tmp_path / "model.pt")


def test_a_damaged_checkpoint_is_never_taken_for_none(tmp_path):
    (tmp_path / "model.pt").write_bytes(b"damaged")
    with pytest.raises(ValueError, match=r"model\.pt: not a readable checkpoint"):
        describe_trained(tmp_path / "model.pt", untrained={"variant": "tiny"})
