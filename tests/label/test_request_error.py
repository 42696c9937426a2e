import pytest

from monai_medmamba.label.request_error import RequestError


def test_has_a_status_and_is_a_value_error():
    with pytest.raises(ValueError, match="there is no") as caught:
        raise RequestError(404, "there is no such image")
    assert caught.value.status == 404
