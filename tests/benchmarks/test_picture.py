import json

import picture
import tables


def test_the_picture_was_drawn_from_the_newest_record():
    record = tables.newest_record()
    drawn = picture.source(tables.PICTURE) if tables.PICTURE.exists() else None
    assert drawn == (record and record.name), "run: python benchmarks/picture.py"


def test_draws_every_panel(gpu_record):
    figure = picture.draw(gpu_record)
    inference, training, core, losses = figure.get_axes()
    assert len(inference.patches) == 2 + 4 + 3 * 3  # modes of T published and ours (compile too), three of each peer
    assert len(training.patches) == 2 * 2 + 1 + 3 * 2
    assert len(core.patches) == 4 * 4
    assert [line.get_label() for line in losses.get_lines()] == ["cuda", "reference"]


def test_the_file_names_its_record(tmp_path, gpu_record):
    record = tmp_path / "2026-01-02-speed-nvidia-test.json"
    record.write_text(json.dumps(gpu_record))
    picture.save(record, tmp_path / "x.png")
    assert picture.source(tmp_path / "x.png") == record.name
