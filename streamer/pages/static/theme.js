// Sets light or dark before the first paint: the reader's choice, or else the system's.
// A browser may deny storage to an embedded page: then the choice is lost when the page closes.
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
