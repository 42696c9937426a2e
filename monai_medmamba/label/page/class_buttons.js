// A button a class: its key, its name, and the model's probability as a bar behind them.

export const KEYS = "123456789abcdeghijklnopqstuvwxyz"; // F, M and R do other things

export class ClassButtons {
  constructor(root, { onChoose }) {
    this.root = root;
    this.onChoose = onChoose;
    this.buttons = new Map();
  }

  build(names) {
    this.root.replaceChildren();
    this.buttons.clear();
    names.forEach((name, index) => {
      const button = document.createElement("button");
      button.className = "class";
      button.setAttribute("aria-pressed", "false");
      const part = (kind, text) => {
        const element = document.createElement(kind === "key" ? "kbd" : "span");
        element.className = kind;
        element.textContent = text;
        button.append(element);
        return element;
      };
      part("bar", "");
      part("key", (KEYS[index] ?? "").toUpperCase());
      part("name", name);
      part("percent", "");
      part("mark", "").setAttribute("aria-hidden", "true");
      button.addEventListener("click", () => this.onChoose(name));
      this.root.append(button);
      this.buttons.set(name, button);
    });
  }

  byKey(key) {
    const index = KEYS.indexOf(key.toLowerCase());
    return key.length === 1 && index >= 0 ? [...this.buttons.keys()][index] : undefined;
  }

  showProbabilities(probabilities) {
    for (const [name, button] of this.buttons) {
      const value = probabilities?.[name];
      button.querySelector(".bar").style.transform = `scaleX(${value ?? 0})`;
      button.querySelector(".percent").textContent = value === undefined ? "" : `${(100 * value).toFixed(0)} %`;
    }
  }

  showChosen(names) {
    for (const [name, button] of this.buttons) {
      const chosen = names?.includes(name) ?? false;
      button.setAttribute("aria-pressed", String(chosen));
      button.querySelector(".mark").textContent = chosen ? "✓" : "";
    }
  }

  enable(on) {
    for (const button of this.buttons.values()) button.disabled = !on;
  }
}
