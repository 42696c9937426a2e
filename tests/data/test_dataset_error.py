from monai_medmamba.data import DatasetError


def test_names_offenders_and_counts_the_rest():
    text = str(DatasetError("pictures", "25 others", "Remove them", [f"{i}.txt" for i in range(25)]))
    assert text.startswith("Expected pictures, found 25 others:\n  0.txt\n")
    assert "  19.txt\n  ... and 5 more\nRemove them." in text
    assert "20.txt" not in text


def test_without_offenders():
    error = DatasetError("a folder", "nothing", "Check the path")
    assert isinstance(error, ValueError)
    assert str(error) == "Expected a folder, found nothing.\nCheck the path."
