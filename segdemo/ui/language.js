// The page's language: the address's `lang`, else the browser's, which Gradio goes by until it is told another.
window.segdemoLanguage = (() => {
  const LANGUAGES = ["en", "ko"];
  const root = document.documentElement;
  const known = (code) => LANGUAGES.find((each) => code?.toLowerCase().startsWith(each));
  const browsers = known(navigator.language) ?? LANGUAGES[0];
  let now = known(new URLSearchParams(location.search).get("lang")) ?? browsers;

  // Gradio renames the tab that is open alone.
  function nameTabs() {
    for (const tab of document.querySelectorAll("[role=tab]")) {
      const text = [...tab.childNodes].find((node) => node.nodeType === Node.TEXT_NODE && node.nodeValue.trim());
      const names = window.segdemoTabs.find((each) => each.includes(text?.nodeValue.trim()));
      if (names) text.nodeValue = names[LANGUAGES.indexOf(now)];
    }
  }

  // Gradio exports this function from the file that its settings page takes it from.
  async function tellGradio() {
    root.lang = now;
    const files = performance.getEntriesByType("resource").map((entry) => entry.name);
    const core = files.find((name) => /\/assets\/core-[\w-]+\.js$/.test(name));
    if (!core) return;
    const { changeLocale } = await import(core);
    for (const language of [...LANGUAGES.filter((each) => each !== now), now]) changeLocale(language); // it heeds changes alone
    setTimeout(nameTabs);
  }

  function change(write) {
    now = LANGUAGES[(LANGUAGES.indexOf(now) + 1) % LANGUAGES.length];
    write();
    tellGradio();
  }

  root.lang = now;
  document.addEventListener("click", () => [0, 500].forEach((wait) => setTimeout(nameTabs, wait))); // lessons' tabs come late
  return {
    change,
    inAddress: () => (now === browsers ? null : now), // what the address says: nothing where it is the browser's own
    // What Gradio still lays out then has to be told anew.
    start: () => now !== browsers && [0, 1000, 3000].forEach((wait) => setTimeout(tellGradio, wait)),
  };
})();
