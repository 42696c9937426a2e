import re

import pytest


@pytest.fixture
def page_of(take, tmp_path):
    def read(folder, **options):
        take(folder, **options)
        return (tmp_path / "out" / "fingerprint.html").read_text(encoding="utf-8")

    return read


def test_pictures_of_each_class(paint, page_of):
    page = page_of(paint(*(f"{c}/{i:02d}.png" for c in ("apple", "pear") for i in range(20))))
    examples = page[page.index("<h2>Examples</h2>") : page.index("<h2>Classes</h2>")]
    assert examples.count("data:image/jpeg;base64,") == 16
    assert re.findall(r"<h3>(\w+) ", examples) == ["apple", "pear"]
    assert "Nothing was found." in page


def test_findings_name_their_files(paint, page_of, draw):
    folder = paint(*(f"{c}/{i:02d}.png" for c in "ab" for i in range(20)))
    (folder / "a/bad.png").write_bytes(b"")
    (folder / "b/copy.png").write_bytes((folder / "a/00.png").read_bytes())
    paint("b/small.png", values=draw(99, 9, 9))
    page = page_of(folder)
    assert '<li>a/bad.png <span class="detail">the file is empty. Copy or download it again.</span></li>' in page
    assert "<li>a/00.png (a) = b/copy.png (b)</li>" in page
    assert "<h2>The same image more than once</h2>" in page
    assert "several labels" in page
    small = page[page.index("Images with a side of fewer") :]
    assert "data:image/jpeg" in small[: small.index("</details>")]


def test_long_lists_are_cut_and_say_so(paint, page_of, monkeypatch):
    monkeypatch.setattr("monai_medmamba.fingerprint.page.MOST_FILES", 5)
    folder = paint("a/1.png", "b/1.png")
    for number in range(12):
        (folder / f"a/bad{number:02d}.png").write_bytes(b"")
    page = page_of(folder)
    assert "bad04.png" in page
    assert "bad05.png" not in page
    assert "7 more are named in fingerprint.json" in page


def test_needs_nothing_from_outside(paint, page_of):
    page = page_of(paint("a/1.png", "b/1.png"))
    assert not re.search(r"(src|href)=\"(?!data:)", page)
    assert "<script" not in page
    assert "default-src 'none'" in page


def test_nothing_readable(paint, page_of):
    folder = paint("a/1.png")
    (folder / "a/1.png").write_bytes(b"")
    assert "<dd class=alarm>1</dd>" in page_of(folder)


def test_a_flat_folder_without_classes(paint, page_of):
    page = page_of(paint(*(f"{i}.png" for i in range(3))))
    assert "<h3>no class" in page
    assert "<h2>Classes</h2>" not in page


def test_volumes_and_patients(tmp_path, page_of):
    nibabel = pytest.importorskip("nibabel", reason="NIfTI needs nibabel")
    import numpy as np

    (tmp_path / "set").mkdir()
    for number in range(3):
        values = np.random.default_rng(number).normal(100, 20, (10, 12, 14))
        nibabel.Nifti1Image(values, np.eye(4)).to_filename(tmp_path / "set" / f"sub-{number}_T1w.nii.gz")
    page = page_of(tmp_path / "set")
    assert "Depth, slices" in page
    assert "Spacing 3, mm" in page
    assert "Images a patient" in page
