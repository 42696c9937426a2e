from pathlib import Path

import pytest
import torch

from monai_medmamba.bundle import describe_trained, find_fold_checkpoints


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


def write(folder, k, **changes):
    (folder / f"fold{k}").mkdir(parents=True)
    shared = {"variant": "nano", "class_names": ["a", "b"], "preprocessing": {"image_size": 32}, "seed": 0}
    description = {**shared, "epoch": k, "calibration": {"temperature": 1.0 + k}, **changes}
    torch.save({"model": {}, "description": description}, folder / f"fold{k}" / "model.pt")
    return shared


def test_an_ensemble_says_what_its_members_share(tmp_path):
    shared, *_ = [write(tmp_path, k) for k in range(11)]
    paths = find_fold_checkpoints(tmp_path)
    assert [Path(path).parent.name for path in paths] == [f"fold{k}" for k in range(11)]
    assert describe_trained(paths) == shared


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"class_names": ["b", "a"]}, "expected the class_names of .*fold0"),
        ({"variant": "tiny", "seed": 1}, "expected the variant and the seed of .*fold0"),
    ],
)
def test_members_that_do_not_agree(tmp_path, changes, message):
    write(tmp_path, 0)
    write(tmp_path, 1, **changes)
    with pytest.raises(ValueError, match=message):
        describe_trained(find_fold_checkpoints(tmp_path))
    with pytest.raises(ValueError, match="got none"):
        describe_trained([])


def test_a_missing_fold(tmp_path):
    write(tmp_path, 1)
    with pytest.raises(FileNotFoundError, match=r"fold0/model\.pt is missing: train every fold first"):
        find_fold_checkpoints(tmp_path)
