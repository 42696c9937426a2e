import pytest
import torch

from monai_medmamba.data import BatchLoader, CachedImages
from monai_medmamba.distributed import SharedBatchLoader
from monai_medmamba.distributed.shared_batches import share_of
from testing.processes import in_processes


def images(count=11):
    data = [{"image": str(i), "label": i} for i in range(count)]
    return CachedImages(data, lambda item: {**item, "image": torch.full((1, 2, 2), int(item["image"]))}, cache_num=4)


def _passes(rank, drop_last):
    torch.manual_seed(rank)  # each process has random numbers of its own
    loader = SharedBatchLoader(images(), batch_size=4, shuffle=True, drop_last=drop_last)
    return len(loader), [[batch["label"].tolist() for batch in loader] for _ in range(2)]


@pytest.mark.parametrize("drop_last", [True, False])
def test_joined_shares_are_the_batches_of_one_process(drop_last):
    torch.manual_seed(0)
    loader = BatchLoader(images(), batch_size=4, shuffle=True, drop_last=drop_last)
    expected = [[sorted(batch["label"].tolist()) for batch in loader] for _ in range(2)]
    (count, first), (other_count, second) = in_processes(2, _passes, drop_last)
    assert count == other_count == len(loader)
    joined = [[sorted(a + b) for a, b in zip(*both, strict=True)] for both in zip(first, second, strict=True)]
    assert joined == expected
    assert expected[0] != expected[1]  # a new order for each pass


def _weighted(rank):
    torch.manual_seed(rank)
    sampler = torch.utils.data.WeightedRandomSampler([1.0] * 10 + [1000.0], 8)
    loader = SharedBatchLoader(images(), batch_size=4, sampler=sampler)
    return [batch["label"].tolist() for batch in loader]


def test_any_sampler_serves():
    drawn = [label for batches in in_processes(2, _weighted) for batch in batches for label in batch]
    assert len(drawn) == 8
    assert drawn.count(10) >= 6


def test_alone_it_is_the_plain_loader():
    batches = [b["label"].tolist() for b in SharedBatchLoader(images(), batch_size=4)]
    assert batches == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10]]


def test_invalid_arguments():
    with pytest.raises(ValueError, match=r"for each of 3 processes .* a batch of 2"):
        share_of([1, 2], 0, 3)
