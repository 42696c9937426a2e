import json

import pytest

from monai_medmamba.dicom import PRIVATE_SCHEME, Code, class_codes

CSV = "class,value,scheme,meaning\npolyp,68496003,SCT,Polyp\nnormal,17621005,SCT,Normal\nother,1,99X,Other\n"
CODES = {"normal": Code("17621005", "SCT", "Normal"), "polyp": Code("68496003", "SCT", "Polyp")}


def test_the_private_scheme():
    codes = class_codes(["polyp", "foreign body / clip", "foreign body + clip", "日本", "a" * 17])
    assert codes["polyp"] == Code("polyp", PRIVATE_SCHEME, "polyp")
    assert len({code.value for code in codes.values()}) == 5
    for name, code in codes.items():
        assert 1 <= len(code.value) <= 16
        assert (code.scheme, code.meaning) == ("99MEDMAMBA", name)
    assert class_codes(["日本"])["日本"] == codes["日本"], "the same whatever else there is"


@pytest.mark.parametrize("form", ["csv", "json", "csv with a byte order mark"])
def test_a_table(tmp_path, form):
    if form == "json":
        path = tmp_path / "codes.json"
        path.write_text(json.dumps({name: code._asdict() for name, code in CODES.items()}))
    else:
        path = tmp_path / "codes.csv"
        path.write_text(CSV, encoding="utf-8-sig" if "mark" in form else "utf-8")
    assert class_codes(["normal", "polyp"], path) == CODES
    assert list(class_codes(["polyp", "normal"], path)) == ["polyp", "normal"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("c.csv", CSV.replace("polyp,", "polip,"), "none for polyp; add a row"),
        ("c.csv", "class,code\npolyp,1\n", "the columns"),
        ("c.csv", "", "the columns"),
        ("c.csv", CSV + "polyp,2,SCT,Again\n", "two rows for polyp"),
        ("c.csv", "class,value,scheme,meaning\npolyp,1\nnormal,2,SCT,N\n", "as text"),
        ("c.csv", CSV.replace("17621005", "68496003"), "a code of its own"),
        ("c.csv", CSV.replace("SCT", "S" * 17), "scheme of 1 to 16"),
        ("c.csv", CSV.replace("Polyp", "P" * 65), "meaning of 1 to 64"),
        ("c.csv", CSV.replace("Polyp", ""), "meaning of 1 to 64"),
        ("c.csv", CSV.replace("Polyp", "a\\b"), "backslash"),
        ("c.csv", CSV.replace("Polyp", '"a\nb"'), "printable"),
        ("c.json", "[]", "expected {"),
        ("c.json", "{", "expected {"),
        ("c.json", '{"polyp": {"value": 3, "scheme": "SCT", "meaning": "x"}}', "as text"),
        ("c.json", '{"polyp": {"value": "3"}}', "KeyError"),
    ],
)
def test_invalid_tables(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=message) as caught:
        class_codes(["polyp", "normal"], tmp_path / name)
    assert name in str(caught.value)


def test_invalid_arguments(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.csv"):
        class_codes(["a"], tmp_path / "none.csv")
    with pytest.raises(ValueError, match="meaning of 1 to 64"):
        class_codes(["n" * 65])
