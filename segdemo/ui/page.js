// What the page does in the browser alone: its address, the larger type for a projector, and names that Gradio leaves out.
window.segdemo = (() => {
  const NAMES = ["tab", "lesson", "network", "example", "present"];
  const shown = { tab: null, lesson: null, places: {} };
  let first = null; // the tab that opens by itself; null until the page has opened as its address says
  const root = document.documentElement;

  function write() {
    if (first === null) return;
    const lesson = shown.tab === "lessons" ? shown.lesson : null;
    const view = { tab: shown.tab === first ? null : shown.tab, lesson, ...shown.places[lesson ?? shown.tab] };
    if (root.classList.contains("present")) view.present = "1";
    const address = new URL(location.href);
    for (const name of NAMES) {
      address.searchParams.delete(name);
      if (view[name]) address.searchParams.set(name, view[name]);
    }
    history.replaceState(history.state, "", address);
  }

  // Called when the page has opened as its address says.
  function start() {
    const view = JSON.parse(document.querySelector("#said [data-view]").dataset.view);
    shown.tab = view.tab;
    shown.lesson = view.lesson ?? shown.lesson;
    shown.places[view.place] = { network: view.network, example: view.example, ...shown.places[view.place] };
    first = view.first;
    write();
  }

  function show(key, name) {
    if (first === null) return;
    shown[key] = name;
    write();
  }

  function set(place, key, value) {
    shown.places[place] = { ...shown.places[place], [key]: value };
    write();
  }

  function mark() {
    document.getElementById("present")?.setAttribute("aria-pressed", root.classList.contains("present"));
  }

  function present() {
    root.classList.toggle("present");
    mark();
    write();
    window.dispatchEvent(new Event("resize")); // the tabs measure anew which of them have room
  }

  // The clipboard is there on https and on this machine; elsewhere the old way still works.
  async function copy() {
    try {
      await navigator.clipboard.writeText(location.href);
    } catch {
      const field = document.body.appendChild(document.createElement("textarea"));
      field.value = location.href;
      field.select();
      document.execCommand("copy");
      field.remove();
      document.getElementById("copy-link").focus();
    }
    const copied = document.getElementById("copied");
    copied.textContent = copied.dataset.text;
    setTimeout(() => (copied.textContent = ""), 3000);
  }

  // Gradio draws example photos without a name, and names its empty boxes without saying what they are.
  function name() {
    for (const picture of document.querySelectorAll("[id$='examples'] .gallery-item img")) {
      if (picture.alt) continue;
      picture.alt = decodeURIComponent(picture.src.split("/").pop()).replace(/\.\w+$/, "");
    }
    for (const box of document.querySelectorAll(".empty[aria-label]:not([role])")) box.setAttribute("role", "img");
    if (document.querySelector("#present:not([aria-pressed])")) mark();
  }

  root.lang = navigator.language.startsWith("ko") ? "ko" : "en"; // the languages of the texts, for who reads them aloud
  root.classList.toggle("present", new URLSearchParams(location.search).get("present") === "1");
  new MutationObserver(name).observe(root, { childList: true, subtree: true });
  // A click into the list of classes selects what stands there, so that typing searches instead of adding to it.
  document.addEventListener("focusin", (event) => {
    if (event.target.matches("#heat-class input")) event.target.select();
  });
  return { start, show, set, present, copy };
})();
