from dataclasses import FrozenInstanceError

import pytest

from monai_medmamba.export import FileFormat


def test_a_format_is_a_record():
    kind = FileFormat("a", ".a", lambda *_: "", lambda _: None)
    assert kind.backend == "auto"
    with pytest.raises(FrozenInstanceError):
        kind.name = "b"
