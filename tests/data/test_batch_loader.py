import itertools
import multiprocessing
import os
import threading
import time

import pytest
import torch
from monai.data import DistributedSampler

from monai_medmamba.data import BatchLoader, CachedImages
from monai_medmamba.data.cached_images import WORTH
from monai_medmamba.data.reading_processes import can_read_in_processes

COUNT = 10


def read(item):
    return {**item, "image": torch.full((1, 2, 2), item["image"], dtype=torch.uint8)}


def images(count=COUNT, cache_num=4, transform=read):
    return CachedImages([{"image": i, "label": i} for i in range(count)], transform, cache_num)


def order(loader):
    return [batch["image"][:, 0, 0, 0].tolist() for batch in loader]


def flat(lists):
    return list(itertools.chain.from_iterable(lists))


def test_every_image_once_in_order():
    loader = BatchLoader(images(), batch_size=4)
    assert len(loader) == 3
    assert order(loader) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert order(loader) == order(loader)


def test_a_last_batch_can_be_left_out():
    loader = BatchLoader(images(), batch_size=4, drop_last=True)
    assert len(loader) == len(order(loader)) == 2


@pytest.mark.parametrize("num_workers", [1, 3])
def test_the_order_depends_on_the_seed_alone(num_workers):
    loader = BatchLoader(images(), batch_size=4, shuffle=True, num_workers=num_workers)

    def drawn(seed):
        torch.manual_seed(seed)
        return order(loader)

    first = drawn(1)
    assert sorted(flat(first)) == list(range(COUNT))
    assert first == drawn(1)
    assert first != drawn(2)


def test_a_pass_leaves_the_global_generator_to_others_once_it_has_begun():
    loader = BatchLoader(images(), batch_size=2, shuffle=True)
    torch.manual_seed(0)
    begun = iter(loader)
    state = torch.get_rng_state()
    assert len(list(begun)) == 5
    assert torch.equal(torch.get_rng_state(), state)


def test_ranks_share_the_images_and_change_their_order():
    data = images(8)
    samplers = [DistributedSampler(data, num_replicas=2, rank=rank, even_divisible=True, seed=3) for rank in (0, 1)]
    loaders = [BatchLoader(data, batch_size=2, sampler=sampler) for sampler in samplers]
    passes = []
    for epoch in (1, 2):
        for sampler in samplers:
            sampler.set_epoch(epoch)
        found = [flat(order(loader)) for loader in loaders]
        assert sorted(flat(found)) == list(range(8))
        passes.append(found)
    assert passes[0] != passes[1]


def test_no_more_batches_are_read_than_wanted_ahead():
    seen = []

    def noted(item):
        seen.append(item["image"])
        return read(item)

    batches = iter(BatchLoader(images(cache_num=0, transform=noted), batch_size=1, ahead=2))
    next(batches)
    time.sleep(0.2)
    assert seen == [0, 1, 2]


@pytest.mark.parametrize("cache_num", [0, 4])
def test_an_error_comes_with_its_file_and_after_the_batches_before(cache_num):
    def broken(item):
        if item["image"] == 7:
            raise ValueError("seven.png is broken")
        return read(item)

    batches = iter(BatchLoader(images(cache_num=cache_num, transform=broken), batch_size=2, num_workers=2))
    assert [next(batches)["label"].tolist() for _ in range(3)] == [[0, 1], [2, 3], [4, 5]]
    with pytest.raises(ValueError, match=r"seven\.png"):
        next(batches)


def test_a_pass_that_is_left_early_leaves_no_thread():
    before = threading.active_count()
    batches = iter(BatchLoader(images(), batch_size=2, num_workers=2))
    next(batches)
    assert threading.active_count() > before
    del batches
    assert threading.active_count() == before


FORKS = pytest.mark.skipif(not can_read_in_processes(), reason="needs a system that forks")
MANY = 2 * WORTH


@FORKS
@pytest.mark.parametrize("cache_num", [0, 20])
def test_processes_read_what_is_not_cached(cache_num):
    def told(item):
        return {**item, "image": torch.tensor([item["image"], os.getpid()])}

    loader = BatchLoader(images(MANY, cache_num, told), batch_size=8, shuffle=True, num_workers=3)
    for _ in range(2):
        found = torch.cat([torch.stack([batch["image"][:, 0], batch["label"]], 1) for batch in loader]).tolist()
        assert all(image == label for image, label in found)
        assert sorted(image for image, _ in found) == list(range(MANY))
    readers = {int(pid) for batch in loader for index, pid in batch["image"] if index >= cache_num}
    assert len(readers) == 3
    assert os.getpid() not in readers


@FORKS
def test_a_pass_that_is_left_early_leaves_no_process():
    batches = iter(BatchLoader(images(MANY, 0), batch_size=8, num_workers=3))
    next(batches)
    assert len(multiprocessing.active_children()) == 3
    del batches
    assert not multiprocessing.active_children()


@FORKS
def test_an_error_in_a_process_comes_with_its_file_and_after_the_batches_before():
    def broken(item):
        if item["image"] == 75:
            raise ValueError("75.png is broken")
        return read(item)

    batches, found = iter(BatchLoader(images(MANY, 0, broken), batch_size=8, num_workers=3)), []
    with pytest.raises(ValueError, match=r"75\.png"):
        found.extend(batch["label"].tolist() for batch in batches)
    assert flat(found) == list(range(72))
    assert not multiprocessing.active_children()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_workers": 0}, "at least 1 worker"),
        ({"ahead": 0}, "1 batch ahead"),
        ({"batch_size": 0}, "batch_size"),
        ({"shuffle": True, "sampler": torch.utils.data.SequentialSampler(range(3))}, "mutually exclusive"),
    ],
)
def test_invalid_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        BatchLoader(images(), **arguments)


@pytest.mark.gpu
def test_pinned_batches_arrive_whole():
    loader = BatchLoader(images(200, 100), batch_size=8, num_workers=4, pin_memory=True)
    moved = [batch["image"].as_tensor().to("cuda", non_blocking=True) for batch in loader]
    assert torch.cat(moved)[:, 0, 0, 0].tolist() == list(range(200))
