from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from monai_medmamba.handlers import TensorBoardPictures
from testing.training import CLASS_NAMES, Toy


def test_a_confusion_matrix_for_each_epoch(tmp_path):
    toy = Toy(epochs=2)
    TensorBoardPictures(tmp_path, CLASS_NAMES).attach(toy.evaluator)
    toy.trainer.run()
    log = EventAccumulator(str(tmp_path))
    log.Reload()
    pictures = log.Images("confusion_matrix")
    assert [picture.step for picture in pictures] == [1, 2]
    assert pictures[0].encoded_image_string.startswith(b"\x89PNG")
