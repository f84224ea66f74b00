// Runs before the first paint, so that a dark page never flashes white. A file of its own: the CSP forbids inline scripts.
(function () {
  var dark = matchMedia("(prefers-color-scheme: dark)");
  function apply() {
    var wish = "system";
    try {
      wish = localStorage.getItem("logbuch.theme") || "system";
    } catch {
      wish = "system";
    }
    var theme = wish === "dark" || (wish !== "light" && dark.matches) ? "dark" : "light";
    document.documentElement.dataset.theme = theme;
  }
  apply();
  dark.addEventListener("change", apply);
  addEventListener("logbuch:theme", apply);
  addEventListener("storage", apply);
})();
