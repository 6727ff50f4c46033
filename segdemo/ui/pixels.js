// A click on a picture, or an arrow key, asks for the pixel below it; a marker shows the place on every picture.
window.segdemo = Object.assign(window.segdemo ?? {}, (() => {
  const PICTURES = ["photo", "overlay", "heatmap"];
  const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const STEP = 1 / 40; // of the picture's side, for each press of an arrow key
  const images = () => PICTURES.map((name) => document.querySelector(`#${name} img`)).filter(Boolean);
  let point = null; // { picture, x, y }: shares of the photo's width and height

  // Where the picture lies in the window. Its box may be larger: the rest is empty, or cut off.
  function placed(image) {
    const box = image.getBoundingClientRect();
    const across = box.width / image.naturalWidth, down = box.height / image.naturalHeight;
    const contain = Math.min(across, down), cover = Math.max(across, down);
    const scale = { contain, cover, none: 1, "scale-down": Math.min(1, contain) }[getComputedStyle(image).objectFit];
    const width = image.naturalWidth * (scale ?? across), height = image.naturalHeight * (scale ?? down);
    return { left: box.x + (box.width - width) / 2, top: box.y + (box.height - height) / 2, width, height };
  }

  function mark() {
    for (const image of images()) {
      const frame = image.parentElement;
      const spot = frame.querySelector(".spot") ?? frame.appendChild(document.createElement("i"));
      spot.className = "spot";
      spot.hidden = point === null;
      if (point === null) continue;
      const picture = placed(image), within = frame.getBoundingClientRect();
      spot.style.left = `${picture.left - within.x + point.x * picture.width}px`;
      spot.style.top = `${picture.top - within.y + point.y * picture.height}px`;
    }
  }

  function ask(picture, x, y) {
    if (!(x >= 0 && x < 1 && y >= 0 && y < 1)) return;
    point = { picture, x, y };
    mark();
    document.getElementById("probe").click();
  }

  // Another photo has other pixels; of the same photo the same pixel is asked for again.
  function follow(image) {
    if (image.closest("#photo")) point = null;
    mark();
    if (point && image.closest("#overlay") && !document.querySelector("#pixel meter")) ask(point.picture, point.x, point.y);
  }

  document.addEventListener("click", (event) => {
    const image = images().find((each) => each === event.target);
    if (!image || event.detail === 0) return; // a key was pressed
    const picture = placed(image);
    const x = (event.clientX - picture.left) / picture.width, y = (event.clientY - picture.top) / picture.height;
    ask(image.closest(".block").id, x, y);
  });
  document.addEventListener("keydown", (event) => {
    const name = PICTURES.find((each) => event.target.matches(`#${each} .image-container > button`));
    const [x, y] = STEPS[event.key] ?? [];
    if (!name || x === undefined) return;
    event.preventDefault();
    const inside = (value) => Math.min(Math.max(value, 0), 1 - 1e-6);
    ask(name, inside((point?.x ?? 0.5) + x * STEP), inside((point?.y ?? 0.5) + y * STEP));
  });
  addEventListener("resize", () => requestAnimationFrame(mark));
  document.addEventListener("load", (event) => images().includes(event.target) && follow(event.target), true); // no bubbling
  document.addEventListener("transitionend", mark);
  document.addEventListener("animationend", mark);
  return { asked: () => point };
})());
