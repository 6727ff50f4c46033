// What the page does in the browser alone: its address, the larger type for a projector, and names that Gradio leaves out.
window.segdemo = Object.assign(window.segdemo ?? {}, (() => {
  const NAMES = ["tab", "lesson", "network", "example", "input", "kernel", "present", "lang"];
  const shown = { tab: null, lesson: null, places: {} };
  let first = null; // the tab that opens by itself; null until the page has opened as its address says
  const root = document.documentElement;

  // A tab or lesson that was opened is a step to go back to; all else is not.
  function write(isStep = false) {
    if (first === null) return;
    const lesson = shown.tab === "lessons" ? shown.lesson : null;
    const view = { tab: shown.tab === first ? null : shown.tab, lesson, ...shown.places[lesson ?? shown.tab] };
    if (root.classList.contains("present")) view.present = "1";
    view.lang = segdemoLanguage.inAddress();
    const address = new URL(location.href);
    for (const name of NAMES) {
      address.searchParams.delete(name);
      if (view[name]) address.searchParams.set(name, view[name]);
    }
    const places = (url) => `${url.searchParams.get("tab")} ${url.searchParams.get("lesson")}`;
    const isOther = isStep && places(address) !== places(new URL(location.href));
    history[isOther ? "pushState" : "replaceState"](history.state, "", address);
  }

  // Called when the page has opened as its address says.
  function start() {
    const view = JSON.parse(document.querySelector("#said [data-view]").dataset.view);
    shown.tab = view.tab;
    shown.lesson = view.lesson ?? shown.lesson;
    shown.places[view.place] = { network: view.network, example: view.example, ...view.texts, ...shown.places[view.place] };
    first = view.first;
    write();
    setTimeout(reveal, 100); // when Gradio has drawn the tab
  }

  // A link to another tab than the first would show that first, and push it away.
  function reveal() {
    root.classList.remove("opening");
  }

  function show(key, name) {
    if (first === null) return;
    const isStep = shown[key] !== null && shown[key] !== name;
    shown[key] = name;
    write(isStep);
  }

  function goBack() {
    const asked = new URLSearchParams(location.search);
    shown.lesson = asked.get("lesson") ?? shown.lesson;
    shown.tab = asked.get("tab") ?? (asked.has("lesson") ? "lessons" : first);
    const chosen = shown.tab === "lessons" ? [shown.tab, shown.lesson] : [shown.tab];
    for (const name of chosen) document.querySelector(`[role=tab][data-tab-id="${CSS.escape(name)}"]`)?.click();
  }

  function set(place, key, value) {
    shown.places[place] = { ...shown.places[place], [key]: value };
    if (key === "example") shown.places[place].hasOwnPhoto = value === null;
    write();
  }

  // The name of a network that a visitor brought is theirs alone.
  const shared = (network) => (String(network).startsWith("taught-") ? null : String(network));

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
    const place = shown.places[shown.tab === "lessons" ? shown.lesson : shown.tab];
    const said = copied.querySelector(`[data-says="${place?.hasOwnPhoto ? "without-photo" : "copied"}"]`);
    said.hidden = false;
    setTimeout(() => (said.hidden = true), 6000);
  }

  // Gradio draws example photos without a name, and names its empty boxes without saying what they are.
  function name() {
    for (const picture of document.querySelectorAll("[id$='examples'] .gallery-item img:not([data-english])")) {
      const name = window.segdemoExamples[decodeURIComponent(picture.src.split("/").pop()).replace(/\.\w+$/, "")] ?? "";
      picture.alt = name;
      if (picture.closest("#examples")) picture.closest(".gallery-item").dataset.label = name;
    }
    for (const box of document.querySelectorAll(".empty[aria-label]:not([role])")) box.setAttribute("role", "img");
    if (document.querySelector("#present:not([aria-pressed])")) mark();
  }

  const asked = new URLSearchParams(location.search);
  root.classList.toggle("present", asked.get("present") === "1");
  root.classList.toggle("opening", asked.has("tab") || asked.has("lesson"));
  setTimeout(reveal, 8000); // should the server not answer
  new MutationObserver(name).observe(root, { childList: true, subtree: true });
  // A click into the list of classes selects what stands there, so that typing searches instead of adding to it.
  document.addEventListener("focusin", (event) => {
    if (event.target.matches("#heat-class input")) event.target.select();
  });
  addEventListener("popstate", goBack);
  return { start, show, set, shared, present, copy, speak: () => segdemoLanguage.change(write) };
})());
