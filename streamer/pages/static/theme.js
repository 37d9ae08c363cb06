// Before the first paint: the reader's choice of light or dark, else the system's.
// An embedded page may be denied its storage; then the choice lasts as long as the page.
{
  const root = document.documentElement;
  const remembered = (act) => {
    try {
      return act(localStorage);
    } catch {
      return null;
    }
  };
  const chosen = remembered((storage) => storage.getItem("theme"));
  if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
  addEventListener("DOMContentLoaded", () => {
    document.getElementById("theme").addEventListener("click", () => {
      const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
      root.dataset.theme = (root.dataset.theme || system) === "dark" ? "light" : "dark";
      remembered((storage) => storage.setItem("theme", root.dataset.theme));
    });
  });
}
