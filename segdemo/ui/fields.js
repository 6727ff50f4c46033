// Fields that a keyboard, a clipboard and a click on an icon fill as well as a mouse does.
(() => {
  const MOVES = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown"];

  // Gradio reports the end of a slider's move for the mouse alone.
  const release = (range) => range?.dispatchEvent(new PointerEvent("pointerup", { bubbles: true }));
  document.addEventListener("keyup", (event) => {
    if (event.target.matches("input[type=range]") && MOVES.includes(event.key)) release(event.target);
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("input[type=number]")) release(event.target.closest(".block")?.querySelector("input[type=range]"));
  });

  // The line between two pictures that lie over each other.
  document.addEventListener("input", (event) => {
    if (event.target.matches(".slide input")) event.target.parentElement.style.setProperty("--at", event.target.value);
  });

  // A photo takes the place of the one that is there. Gradio's field takes none before it is empty.
  async function give(block, photo) {
    block.querySelector(".image-container:has(img) .icon-button-wrapper button:last-of-type")?.click();
    for (let frames = 0; frames < 3; frames++) await new Promise(requestAnimationFrame);
    const files = new DataTransfer();
    files.items.add(photo);
    const field = block.querySelector("input[type=file]");
    field.files = files.files;
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }

  // Over plain http a browser lends no live camera, and fingers are better off with the system's own.
  const hasLiveCamera = () => Boolean(navigator.mediaDevices);
  const asksSystem = () => !hasLiveCamera() || matchMedia("(pointer: coarse)").matches;
  document.documentElement.classList.toggle("no-live-camera", !hasLiveCamera());

  function choose(block, takesPhoto) {
    const dialog = Object.assign(document.createElement("input"), { type: "file", accept: "image/*" });
    if (takesPhoto) dialog.setAttribute("capture", "environment"); // the rear camera
    dialog.addEventListener("change", () => dialog.files[0] && give(block, dialog.files[0]));
    dialog.click();
  }

  // Gradio's icon for files would empty the field and leave it at that.
  document.addEventListener(
    "click",
    (event) => {
      const icon = event.target.closest(".source-selection button");
      const takesPhoto = icon?.matches("[data-english='Capture from camera']") && asksSystem();
      if (!takesPhoto && !icon?.matches(".selected[data-english='Upload file']")) return;
      event.stopPropagation();
      choose(icon.closest(".block"), takesPhoto);
    },
    true,
  );

  document.addEventListener("paste", (event) => {
    const photo = [...event.clipboardData.files].find((file) => file.type.startsWith("image/"));
    const fields = [...document.querySelectorAll(".block:has(input[type=file])")];
    const block = fields.find((each) => each.checkVisibility());
    if (!photo || !block) return;
    event.preventDefault();
    give(block, photo);
  });
})();
