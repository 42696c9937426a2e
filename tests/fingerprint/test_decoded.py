from monai_medmamba.fingerprint.decoded import UnreadableError


def test_the_message_ends_in_the_cure():
    assert str(UnreadableError("the file is empty", "Copy it again")) == "the file is empty. Copy it again."
