import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from monai_medmamba.handlers import TensorBoardPictures
from testing.training import CLASS_NAMES, Toy


@pytest.mark.parametrize(("every", "epochs", "steps"), [(1, 2, [1, 2]), (2, 5, [2, 4]), (3, 2, [])])
def test_a_confusion_matrix_every_so_many_epochs(every, epochs, steps, tmp_path):
    toy = Toy(epochs=epochs)
    TensorBoardPictures(tmp_path, CLASS_NAMES, every).attach(toy.evaluator)
    toy.trainer.run()
    log = EventAccumulator(str(tmp_path))
    log.Reload()
    pictures = log.Images("confusion_matrix") if steps else []
    assert [picture.step for picture in pictures] == steps


def test_the_picture_is_a_png(tmp_path):
    toy = Toy(epochs=1)
    TensorBoardPictures(tmp_path, CLASS_NAMES).attach(toy.evaluator)
    toy.trainer.run()
    log = EventAccumulator(str(tmp_path))
    log.Reload()
    pictures = log.Images("confusion_matrix")
    assert pictures[0].encoded_image_string.startswith(b"\x89PNG")
