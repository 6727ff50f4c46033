// In a frame on another site a browser may refuse storage, and Gradio would draw no page. What is kept there then lasts
// as long as the page.
try {
  window.localStorage;
} catch {
  const kept = new Map();
  const getItem = (name) => kept.get(name) ?? null;
  const setItem = (name, value) => void kept.set(name, String(value));
  const removeItem = (name) => void kept.delete(name);
  Object.defineProperty(window, "localStorage", { value: { getItem, setItem, removeItem }, configurable: true });
}
