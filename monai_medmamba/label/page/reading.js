// The reading page: joins image, classes, map and training.

import { ClassButtons } from "./class_buttons.js";
import { getPrediction, getQueue, getState, getWindow, heatAddress, pictureAddress, putLabel } from "./server.js";
import { Training } from "./training.js";
import { Viewer } from "./viewer.js";

const $ = (id) => document.getElementById(id);

const page = {
  models: [],
  model: null, // as the server describes it
  items: [], // ids of images, in the order of reading
  uncertainty: new Map(),
  labels: {}, // classes by image
  malformed: {},
  index: 0,
  chosen: [], // classes of the image on the page, where it may have several
  prediction: null,
  mark: 0, // rises with each training
  saving: false,
  window: null, // centre and width with which a grey DICOM file comes; null for other pictures
};

const viewer = new Viewer($("viewer"), { onZoom: (scale) => ($("zoom").textContent = `${Math.round(100 * scale)} %`) });
const classes = new ClassButtons($("classes"), { onChoose: choose });
const training = new Training({ onDone: afterTraining, onError: complain });
const kept = new Map(); // predictions of the weights in use, by image

function complain(error) {
  $("alert").textContent = error.message;
  $("alert").hidden = false;
}

function quietly() {
  $("alert").hidden = true;
}

const current = () => page.items[page.index];

// ---- models and the order of images

async function begin() {
  try {
    const state = await getState();
    page.models = state.models;
    fill($("model"), state.models.map((model) => [model.name, model.name]));
    fill($("strategy"), state.strategies.map((one) => [one.name, one.name.replace("_", " "), one.description]));
    $("strategy").value = "margin";
    await useModel(state.models[0].name);
    training.show(state.training);
  } catch (error) {
    complain(error);
  }
}

function fill(select, options) {
  select.replaceChildren(...options.map(([value, text, title]) => {
    const option = new Option(text, value);
    option.title = title ?? "";
    return option;
  }));
}

async function useModel(name) {
  page.model = page.models.find((model) => model.name === name);
  kept.clear();
  classes.build(page.model.class_names);
  $("save").hidden = !page.model.several_labels;
  fill($("map-class"), [["", "the most probable"], ...page.model.class_names.map((one) => [one, one])]);
  await loadQueue();
}

async function loadQueue() {
  const found = await getQueue(page.model.name, $("strategy").value);
  const labelled = Object.keys(found.labels);
  page.uncertainty = new Map(found.queue.map((entry) => [entry.id, entry.uncertainty]));
  page.items = [...found.queue.map((entry) => entry.id), ...Object.keys(found.malformed), ...labelled];
  page.labels = found.labels;
  page.malformed = found.malformed;
  page.index = 0;
  $("strategy").disabled = !page.model.has_weights;
  $("strategy").title = found.note;
  showLabelled();
  await showImage();
}

function showLabelled() {
  const done = Object.keys(page.labels).length;
  const bad = Object.keys(page.malformed).length;
  $("labelled-text").textContent =
    `${done} of ${page.items.length} images labelled${bad ? `, ${bad} malformed` : ""}`;
  $("labelled").max = Math.max(1, page.items.length);
  $("labelled").value = done;
}

// ---- the image on the page

async function showImage() {
  const image = current();
  $("previous").disabled = page.index <= 0;
  $("next").disabled = page.index >= page.items.length - 1;
  $("position").textContent = image ? `${page.index + 1} of ${page.items.length}` : "";
  $("image-name").textContent = image ?? "There is no image in the studies";
  $("unreadable").hidden = true;
  classes.enable(Boolean(image));
  classes.showProbabilities(null);
  page.prediction = null;
  if (!image) return;
  page.chosen = [...(page.labels[image] ?? [])];
  classes.showChosen(page.chosen);
  $("prediction-text").textContent = "";
  viewer.show(pictureAddress(image), `The image ${image}`);
  useWindow(null);
  await Promise.all([showPrediction(image), askWindow(image)]);
  prepare(page.items[page.index + 1]);
}

async function showPrediction(image) {
  if (!page.model.has_weights) {
    $("prediction-text").textContent = "There is no trained model yet: label some images, then train.";
    return;
  }
  try {
    const found = await prediction(image);
    if (image !== current()) return;
    page.prediction = found;
    classes.showProbabilities(found.probabilities);
    const malformed = page.malformed[image] ? ` Its label is malformed: ${page.malformed[image]}` : "";
    const said = found.labels.join(", ") || "nothing of these";
    $("prediction-text").textContent =
      `The model says ${said}${found.calibrated ? "" : " (probabilities not calibrated)"}.${malformed}`;
    showHeat();
  } catch (error) {
    if (image === current()) $("prediction-text").textContent = error.message;
  }
}

function prediction(image) {
  if (!kept.has(image)) {
    const asked = getPrediction(page.model.name, image);
    asked.catch(() => kept.delete(image));
    kept.set(image, asked);
  }
  return kept.get(image);
}

// Has the next image ready before it is asked for.
function prepare(image) {
  if (!image) return;
  new Image().src = pictureAddress(image);
  if (page.model.has_weights) prediction(image).catch(() => {});
}

function showHeat() {
  const wanted = $("map").checked && page.prediction;
  const most = wanted && Object.entries(page.prediction.probabilities).reduce((a, b) => (b[1] > a[1] ? b : a))[0];
  const name = $("map-class").value || most;
  viewer.showHeat(wanted ? heatAddress(page.model.name, current(), name, $("method").value, page.mark) : null);
}

async function go(step) {
  const index = page.index + step;
  if (index < 0 || index >= page.items.length) return;
  page.index = index;
  quietly();
  await showImage();
}

// ---- labels

async function choose(name) {
  if (!current()) return;
  if (page.model.several_labels) {
    page.chosen = page.chosen.includes(name) ? page.chosen.filter((one) => one !== name) : [...page.chosen, name];
    classes.showChosen(page.chosen);
  } else {
    await save([name]);
  }
}

async function save(names) {
  const image = current();
  if (!image || page.saving) return; // a second press would label the image that comes after
  page.saving = true;
  try {
    await putLabel(page.model.name, image, names);
  } catch (error) {
    complain(error);
    return;
  } finally {
    page.saving = false;
  }
  quietly();
  page.labels[image] = names;
  delete page.malformed[image];
  if (image === current()) classes.showChosen(names);
  showLabelled();
  await go(1);
}

// ---- training

async function afterTraining(job) {
  if (job.status !== "DONE") return;
  try {
    page.mark += 1;
    const name = page.model.name;
    page.models = (await getState()).models;
    await useModel(name);
  } catch (error) {
    complain(error);
  }
}

// ---- level and window: of grey DICOM files in their own units, by the server; of others on the scale of the picture

const PLAIN = { center: 128, width: 255 };
let later = null;

async function askWindow(image) {
  const found = await getWindow(image).catch(() => ({}));
  if (image === current() && found.width) useWindow(found);
}

function useWindow(window) {
  clearTimeout(later);
  page.window = window;
  const { center, width } = window ?? PLAIN;
  const reach = 2 * width;
  const range = window ? { min: Math.round(center - reach), max: Math.round(center + reach) } : { min: 0, max: 255 };
  Object.assign($("level"), range);
  $("window").max = window ? Math.round(2 * reach) : 255;
  $("level").value = center;
  $("window").value = width;
  showWindow();
}

function showWindow() {
  const [level, width] = [Number($("level").value), Number($("window").value)];
  $("level-text").textContent = level;
  $("window-text").textContent = width;
  if (page.window) viewer.setWindow(127.5, 255);
  else viewer.setWindow(level, width);
  return { center: level, width };
}

function setWindow() {
  const chosen = showWindow();
  if (!page.window) return;
  clearTimeout(later);
  const image = current();
  later = setTimeout(() => image === current() && viewer.showAgain(pictureAddress(image, chosen)), 100);
}

function resetWindow() {
  useWindow(page.window);
  if (page.window && current()) viewer.showAgain(pictureAddress(current()));
}

// ---- what the reader does

const PAN = { ArrowLeft: [40, 0], ArrowRight: [-40, 0], ArrowUp: [0, 40], ArrowDown: [0, -40] };
const ACTIONS = {
  ArrowLeft: () => go(-1),
  ArrowRight: () => go(1),
  "+": () => viewer.zoom(1.25),
  "=": () => viewer.zoom(1.25),
  "-": () => viewer.zoom(0.8),
  f: () => viewer.fit(),
  r: resetWindow,
  m: () => $("map").click(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest("select, input[type=number]")) return;
  if (event.key.startsWith("Arrow") && event.target.closest("input")) return; // a slider has arrow keys of its own
  if (event.shiftKey && PAN[event.key]) {
    viewer.move(...PAN[event.key]);
    event.preventDefault();
    return;
  }
  if (event.key === "Enter" && page.model?.several_labels && !event.target.closest("button, summary, a")) {
    save(page.chosen);
    return;
  }
  const name = classes.byKey(event.key);
  const action = ACTIONS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (action) action();
  else if (name && !event.repeat) choose(name);
  else return;
  event.preventDefault();
});

$("previous").addEventListener("click", () => go(-1));
$("next").addEventListener("click", () => go(1));
$("zoom-in").addEventListener("click", () => viewer.zoom(1.25));
$("zoom-out").addEventListener("click", () => viewer.zoom(0.8));
$("fit").addEventListener("click", () => viewer.fit());
$("level").addEventListener("input", setWindow);
$("window").addEventListener("input", setWindow);
$("window-reset").addEventListener("click", resetWindow);
$("map").addEventListener("change", showHeat);
$("map-class").addEventListener("change", showHeat);
$("method").addEventListener("change", showHeat);
$("opacity").addEventListener("input", () => viewer.setOpacity(Number($("opacity").value) / 100));
$("model").addEventListener("change", () => useModel($("model").value).catch(complain));
$("strategy").addEventListener("change", () => loadQueue().catch(complain));
$("save").addEventListener("click", () => save(page.chosen));
$("train").addEventListener("click", () => training.start(page.model.name));
viewer.picture.addEventListener("error", () => {
  viewer.showHeat(null);
  $("unreadable").textContent = "This image cannot be shown.";
  $("unreadable").hidden = false;
});

useWindow(null);
viewer.setOpacity(Number($("opacity").value) / 100);
begin();
