import csv

from monai_medmamba.handlers import TrainingCheckpoint, TrainingHistory
from testing.training import CLASS_NAMES, Toy


def rows(folder):
    with (folder / "history.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def train(tmp_path, epochs, resume=False):
    toy = Toy(epochs)
    parts = (toy.network, toy.optimizer, toy.lr_scheduler, toy.evaluator)
    TrainingCheckpoint(tmp_path, *parts, CLASS_NAMES, {}, "toy", resume=resume).attach(toy.trainer)
    TrainingHistory(tmp_path, toy.optimizer, toy.evaluator).attach(toy.trainer)
    toy.trainer.run()
    return toy


def test_one_row_an_epoch(tmp_path):
    toy = train(tmp_path, 2)
    found = rows(tmp_path)
    assert [row["epoch"] for row in found] == ["1", "2"]
    assert float(found[-1]["val_auc"]) == toy.evaluator.state.metrics["val_auc"]
    assert float(found[-1]["learning_rate"]) == toy.optimizer.param_groups[0]["lr"]
    assert 0 < float(found[0]["train_loss"]) < 5
    assert float(found[0]["seconds"]) > 0


def test_a_resumed_run_keeps_the_rows_before(tmp_path):
    train(tmp_path, 2)
    before = rows(tmp_path)
    train(tmp_path, 4, resume=True)
    assert rows(tmp_path)[:2] == before
    assert [row["epoch"] for row in rows(tmp_path)] == ["1", "2", "3", "4"]


def test_a_new_run_starts_a_new_file(tmp_path):
    train(tmp_path, 2)
    train(tmp_path, 1)
    assert [row["epoch"] for row in rows(tmp_path)] == ["1"]
