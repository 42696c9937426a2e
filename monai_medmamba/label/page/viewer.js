// The image: zoom, position, level and window, and the map that lies over it.

const LARGEST = 32;

export class Viewer {
  constructor(root, { onZoom }) {
    this.root = root;
    this.stage = root.querySelector("#stage");
    this.picture = root.querySelector("#picture");
    this.heat = root.querySelector("#heat");
    this.functions = [...document.querySelectorAll("#windowing feComponentTransfer > *")];
    this.onZoom = onZoom;
    this.fitted = true;
    this.scale = 1;
    this.x = this.y = 0;
    this.listen();
  }

  listen() {
    this.picture.addEventListener("load", () => this.fitted && this.fit());
    new ResizeObserver(() => this.fitted && this.fit()).observe(this.root);
    this.root.addEventListener("wheel", (event) => {
      event.preventDefault();
      const box = this.root.getBoundingClientRect();
      this.zoom(Math.exp(-event.deltaY / 400), event.clientX - box.left, event.clientY - box.top);
    }, { passive: false });
    this.root.addEventListener("dblclick", () => this.fit());
    this.root.addEventListener("pointerdown", (event) => {
      this.root.setPointerCapture(event.pointerId);
      this.root.classList.add("moving");
    });
    this.root.addEventListener("pointermove", (event) => {
      if (this.root.hasPointerCapture(event.pointerId)) this.move(event.movementX, event.movementY);
    });
    this.root.addEventListener("pointerup", () => this.root.classList.remove("moving"));
    this.root.addEventListener("pointercancel", () => this.root.classList.remove("moving"));
  }

  show(address, description) {
    this.picture.alt = description;
    this.picture.src = address;
    this.fitted = true;
    this.showHeat(null);
  }

  // The same image with another window: it stays where it is.
  showAgain(address) {
    this.picture.src = address;
  }

  fit() {
    const { naturalWidth: width, naturalHeight: height } = this.picture;
    if (!width) return;
    this.scale = Math.min(this.root.clientWidth / width, this.root.clientHeight / height);
    this.x = (this.root.clientWidth - width * this.scale) / 2;
    this.y = (this.root.clientHeight - height * this.scale) / 2;
    this.fitted = true;
    this.place();
  }

  zoom(factor, x = this.root.clientWidth / 2, y = this.root.clientHeight / 2) {
    const scale = Math.min(LARGEST, Math.max(0.05, this.scale * factor));
    this.x = x - ((x - this.x) * scale) / this.scale;
    this.y = y - ((y - this.y) * scale) / this.scale;
    this.scale = scale;
    this.fitted = false;
    this.place();
  }

  move(x, y) {
    this.x += x;
    this.y += y;
    this.fitted = false;
    this.place();
  }

  place() {
    this.stage.style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.scale})`;
    this.onZoom(this.scale);
  }

  // Level and window on the scale of the picture, 0 to 255.
  setWindow(level, width) {
    const slope = 255 / width;
    for (const part of this.functions) {
      part.setAttribute("slope", slope);
      part.setAttribute("intercept", 0.5 - (slope * level) / 255);
    }
  }

  showHeat(address) {
    this.heat.hidden = !address;
    if (address) this.heat.src = address;
    else this.heat.removeAttribute("src");
  }

  setOpacity(share) {
    this.heat.style.opacity = share;
  }
}
