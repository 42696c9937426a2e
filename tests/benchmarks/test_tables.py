import json

import tables


def test_the_page_shows_the_newest_record():
    made = tables.render(tables.newest_record())
    page = tables.PAGE.read_text(encoding="utf-8")
    assert page == tables.with_tables(page, made), "run: python benchmarks/tables.py --write"


def test_without_a_record_the_page_says_so(tmp_path):
    assert tables.newest_record(tmp_path) is None
    assert tables.render(None) == tables.NO_RECORD


def test_the_newest_record_is_taken(tmp_path):
    for name in ("2026-01-01-speed-nvidia-b.json", "2026-01-02-speed-nvidia-a.json", "2026-01-03-speed-cpu-x.json"):
        (tmp_path / name).write_text("{}")
    assert tables.newest_record(tmp_path).name == "2026-01-02-speed-nvidia-a.json"


def test_every_figure_comes_into_the_tables(tmp_path, gpu_record):
    path = tmp_path / "2026-01-02-speed-nvidia-test.json"
    path.write_text(json.dumps(gpu_record))
    made = tables.render(path)
    for line in (
        "NVIDIA Test, 2026-01-02, commit 0123456; torch 2.11.0; 12 tests of the operation passed first.",
        "| T, published | eager | 0.125 | 0.125 | 0.125 | 8 | 8 | 8 | 16 | 16 | 16 |",
        "| B, ours | fused+graph | - | - | - | - | - | 1 | - | - | - |",
        "| T, ours | compile+graph | 1 | 1 | 1 | 1 |",
        "| `cuda` | bf16 | 1 / 3 | 0.5 / 1.5 | 0.3333 / 1 | 0.25 / 0.75 |",
        "| published | float32 | 4.0e-06 | " + " | ".join(["2.0e-06"] * 6) + " |",
        "| T, ours | eager | float32 | 1.0e-06 | 2.0e-06 |",
        "| training step | graph | 896 px, batch 4 | 3.2 | 1.1 |",
        "| `cuda` | 3 | 2.0000 | 0.5000 | 0.0100 | 0.0050 |",
        "| s | inference, swin_tiny, timm, x | a\\|b |",
    ):
        assert line in made, line
    assert all(f"### {heading}\n" in made for heading, _words, _make in tables.SECTIONS)


def test_writing_twice_changes_nothing():
    page = f"words\n\n{tables.BEGIN}\nold\n{tables.END}\n\nmore\n"
    once = tables.with_tables(page, "| new |\n")
    assert "old" not in once
    assert tables.with_tables(once, "| new |\n") == once
