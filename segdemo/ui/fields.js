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

  // Gradio's icon would empty the field and leave it at that.
  document.addEventListener(
    "click",
    (event) => {
      const block = event.target.closest(".source-selection button.selected[aria-label='Upload file']")?.closest(".block");
      if (!block) return;
      event.stopPropagation();
      const dialog = Object.assign(document.createElement("input"), { type: "file", accept: "image/*" });
      dialog.addEventListener("change", () => give(block, dialog.files[0]));
      dialog.click();
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
