// Starting a training, its progress, and what it came to.

import { getTraining, startTraining, stopTraining } from "./server.js";

const INTERVAL = 700;
const percent = (value) => (value == null ? "unknown" : `${(100 * value).toFixed(0)} %`);

export class Training {
  constructor({ onDone, onError }) {
    this.onDone = onDone;
    this.onError = onError;
    for (const id of ["train", "stop", "training", "training-text", "epochs"]) {
      this[id.replace("-", "_")] = document.getElementById(id);
    }
    this.stop.addEventListener("click", () => stopTraining().catch(onError));
    this.timer = null;
  }

  async start(model) {
    const epochs = Number(this.epochs.value);
    this.train.disabled = true;
    try {
      this.show(await startTraining(model, epochs));
    } catch (error) {
      this.train.disabled = false;
      this.onError(error);
    }
  }

  // Shows a job, and looks again for as long as it runs.
  show(job) {
    clearTimeout(this.timer);
    if (!job) return;
    const runs = job.status === "SUBMITTED" || job.status === "RUNNING";
    this.train.disabled = runs;
    this.stop.hidden = this.training.hidden = !runs;
    this.training_text.textContent = describe(job);
    if (runs) {
      const { epoch, epochs } = job.progress;
      if (epoch) {
        this.training.max = epochs;
        this.training.value = epoch;
      } else {
        this.training.removeAttribute("value");
      }
      this.timer = setTimeout(() => this.look(), INTERVAL);
    }
    this.running = runs;
  }

  async look() {
    try {
      const job = await getTraining();
      this.show(job);
      if (!this.running) this.onDone(job);
    } catch (error) {
      this.onError(error);
      this.timer = setTimeout(() => this.look(), 5 * INTERVAL);
    }
  }
}

function describe(job) {
  const { epoch, epochs, loss, validation_accuracy: accuracy } = job.progress;
  if (job.status === "SUBMITTED") return "Waiting for another training to end.";
  if (job.status === "RUNNING") {
    if (!epoch) return "Getting ready.";
    return `Epoch ${epoch} of ${epochs}, loss ${loss?.toFixed(3) ?? "unknown"}, ` +
      `right on ${percent(accuracy)} of the images that are kept out.`;
  }
  if (job.status !== "DONE") return job.result?.error ?? "Stopped.";
  const { before, after, training, validation, malformed } = job.result;
  const passed = Object.keys(malformed).length;
  return `Trained on ${training} images. Right on ${percent(after.validation.accuracy)} of the ${validation} ` +
    `that were kept out${before ? `, before ${percent(before.validation.accuracy)}` : ""}.` +
    (passed ? ` ${passed} malformed labels were passed over.` : "");
}
