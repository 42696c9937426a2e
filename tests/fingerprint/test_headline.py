from monai_medmamba.fingerprint import headline


def test_all_facts(paint, take):
    folder = paint(*(f"train/{c}/{i}.png" for c in "ab" for i in range(3)), "test/a/x.png")
    (folder / "test/b").mkdir()
    (folder / "test/b/copy.png").write_bytes((folder / "train/a/0.png").read_bytes())
    (folder / "test/b/bad.png").write_bytes(b"")
    facts = dict(headline(take(folder)))
    assert facts["data set"] == "set, split folders"
    assert facts["images"] == "9 (training 6, validation 0, test 3), 1 unreadable"
    assert facts["sizes"] == "64 x 64"
    assert facts["stored as"] == "PNG 8; colour of 8 bits 8"
    assert facts["classes"] == "2: b 5, a 4"
    assert facts["patients"] == "not known"
    assert facts["repeats"] == "2 images in 1 group the same (1 across splits, 1 across labels); none alike"
    assert facts["to look at"].startswith("3 problems, 1 warning, 0 notes")


def test_sizes_and_patients(paint, take, draw):
    folder = paint("scans/1.png", "scans/2.png")
    paint("scans/3.png", values=draw(9, 30, 40))
    rows = [f"scans/{i}.png,{'ab'[i % 2]},p{i // 2}" for i in (1, 2, 3)]
    (folder / "list.csv").write_text("\n".join(["path,label,patient", *rows]))
    facts = dict(headline(take(folder)))
    assert facts["sizes"] == "2 sizes, widths 40 to 64, heights 30 to 64; most often 64 x 64"
    assert facts["patients"] == "2, of 1 to 2 images, median 1.5"


def test_nothing_readable(paint, take):
    folder = paint("a/1.png")
    (folder / "a/1.png").write_bytes(b"")
    facts = dict(headline(take(folder)))
    assert facts["images"] == "1, 1 unreadable"
    assert "sizes" not in facts
