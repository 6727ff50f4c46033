// The page's language: the address's `lang`, else the browser's. Texts that HTML cannot hold in every language, such as
// choices and text alternatives, come with all of them one behind the other, and show the page's; so do Gradio's own.
window.segdemoLanguage = (() => {
  const LANGUAGES = ["en", "ko"];
  const BETWEEN = "\u2063";
  const ATTRIBUTES = ["alt", "aria-label", "data-label", "href", "placeholder", "title"];
  const LEFT_ALONE = "script, style, textarea, code, .cm-editor, [lang]:not(html)";
  const root = document.documentElement;
  const known = (code) => LANGUAGES.find((each) => code?.toLowerCase().startsWith(each));
  const browsers = known(navigator.language) ?? LANGUAGES[0];
  let now = known(new URLSearchParams(location.search).get("lang")) ?? browsers;

  const kept = new WeakMap(); // of a text, an attribute or a field: its texts in every language, and the one it shows
  const whole = new Map(), forms = []; // Gradio's texts and the tabs' names, and those with a word of their own in them
  const named = (text) => new RegExp(`^${text.replace(/[|()]/g, "\\$&").replace(/\{(\w+)\}/g, "(?<$1>.+)")}$`);
  for (const texts of window.segdemoTexts) {
    if (texts[0].includes("{")) forms.push({ texts, patterns: texts.map(named) });
    else for (const text of texts) whole.set(text, texts);
  }

  function inEveryLanguage(text) {
    if (text.includes(BETWEEN)) return text.split(BETWEEN);
    if (whole.has(text)) return whole.get(text);
    for (const { texts, patterns } of forms) {
      const words = patterns.map((each) => each.exec(text)).find(Boolean)?.groups;
      if (words) return texts.map((each) => each.replace(/\{(\w+)\}/g, (_, name) => words[name]));
    }
    return null;
  }

  // Give what stands for a text, and remember its other languages.
  function shownFor(holder, text) {
    const before = kept.get(holder);
    const texts = before?.shown === text ? before.texts : inEveryLanguage(text.trim());
    if (!texts) return text;
    const shown = /^\s*/.exec(text)[0] + texts[LANGUAGES.indexOf(now)] + /\s*$/.exec(text)[0];
    kept.set(holder, { texts, shown });
    return shown;
  }

  function turn(node) {
    const shown = shownFor(node, node.nodeValue);
    if (node.ownerElement && kept.has(node)) node.ownerElement.dataset.english = kept.get(node).texts[0]; // for other scripts
    if (shown !== node.nodeValue && !node.parentElement?.closest(LEFT_ALONE)) node.nodeValue = shown;
  }

  function turnAttributes(element) {
    for (const name of ATTRIBUTES) if (element.hasAttribute(name)) turn(element.getAttributeNode(name));
  }

  function turnAll(top) {
    if (top.nodeType === Node.TEXT_NODE) turn(top);
    if (top.nodeType !== Node.ELEMENT_NODE) return;
    const texts = document.createTreeWalker(top, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) turn(texts.currentNode);
    for (const element of [top, ...top.querySelectorAll(ATTRIBUTES.map((name) => `[${name}]`))]) turnAttributes(element);
  }

  // A list shows its choice in a field, whose text is no part of the document.
  const { get, set } = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value");
  function setValue(text) {
    set.call(this, String(text ?? "").includes(BETWEEN) || kept.has(this) ? shownFor(this, String(text ?? "")) : text);
  }
  Object.defineProperty(HTMLInputElement.prototype, "value", { get, set: setValue, configurable: true, enumerable: true });

  new MutationObserver((changes) => {
    for (const { type, target, attributeName, addedNodes } of changes) {
      if (type === "childList") addedNodes.forEach(turnAll);
      else if (type === "characterData") turn(target);
      else if (target.hasAttribute(attributeName)) turn(target.getAttributeNode(attributeName));
    }
  }).observe(root, { childList: true, subtree: true, characterData: true, attributeFilter: ATTRIBUTES });

  // Gradio exports this function from the file that its settings page takes it from.
  async function tellGradio() {
    const files = performance.getEntriesByType("resource").map((entry) => entry.name);
    const core = files.find((name) => /\/assets\/core-[\w-]+\.js$/.test(name));
    if (core) (await import(core)).changeLocale(now);
  }

  function change(write) {
    now = LANGUAGES[(LANGUAGES.indexOf(now) + 1) % LANGUAGES.length];
    root.lang = now;
    write();
    turnAll(root);
    for (const field of document.querySelectorAll("input")) if (kept.has(field)) field.value = field.value;
    tellGradio();
  }

  root.lang = now;
  if (now !== browsers) tellGradio(); // which has chosen the browser's before this script runs
  return {
    change,
    inAddress: () => (now === browsers ? null : now), // what the address says: nothing where it is the browser's own
  };
})();
