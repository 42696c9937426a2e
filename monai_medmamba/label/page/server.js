// What the page asks the server for. Every address is of the server that the page came from.

const API = "api";

async function ask(address, options) {
  let answer;
  try {
    answer = await fetch(address, options);
  } catch {
    throw new Error("The server does not answer. Is it running?");
  }
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    const detail = content.detail;
    const text = typeof detail === "string" ? detail : JSON.stringify(detail ?? answer.statusText);
    throw Object.assign(new Error(text), { status: answer.status });
  }
  return content;
}

function json(method, content) {
  return { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(content) };
}

export const getState = () => ask(`${API}/state`);
export const getQueue = (model, strategy) => ask(`${API}/queue?${new URLSearchParams({ model, strategy })}`);
export const getPrediction = (model, image) => ask(`${API}/prediction?${new URLSearchParams({ model, image })}`);
export const putLabel = (model, image, labels) => ask(`${API}/label`, json("PUT", { model, image, labels }));
export const startTraining = (model, epochs) =>
  ask(`../train/${encodeURIComponent(model)}`, json("POST", { max_epochs: epochs }));
export const stopTraining = () => ask("../train/", { method: "DELETE" });
export const getTraining = () => ask("../train/");

export const getWindow = (image) => ask(`${API}/window?${new URLSearchParams({ image })}`);

export const pictureAddress = (image, window) =>
  `${API}/picture?${new URLSearchParams({ image, ...(window ?? {}) })}`;

// The mark keeps a browser from showing the map of older weights.
export const heatAddress = (model, image, name, method, mark) =>
  `${API}/heat?${new URLSearchParams({ model, image, class_name: name, method, mark })}`;
