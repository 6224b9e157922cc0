/* Draws each chart of the page from the description it carries; colours come from the style sheet, also in the dark. */
(function () {
  "use strict";
  const dark = matchMedia("(prefers-color-scheme: dark)");

  function config() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const ink = colour("--ink-2"), line = colour("--line");
    return {
      background: "transparent",
      font: getComputedStyle(document.body).fontFamily,
      aria: false,
      view: { stroke: null },
      axis: { labelColor: ink, titleColor: ink, gridColor: line, domainColor: line, tickColor: line, labelFontSize: 11, titleFontSize: 11, titleFontWeight: 500, labelLimit: 160 },
      legend: { labelColor: ink, titleColor: ink, labelFontSize: 11, titleFontSize: 11, orient: "top", symbolStrokeWidth: 2 },
      header: { labelColor: ink, titleColor: ink },
      mark: { color: colour("--mark-1") },
      text: { color: ink },
      rule: { color: colour("--bad") },
      tick: { color: colour("--bad") },
      line: { strokeWidth: 2 },
      range: { category: [colour("--mark-1"), colour("--mark-2"), colour("--mark-open"), colour("--mark-bad"), colour("--mark-good"), colour("--line-strong")] },
    };
  }

  function draw(place) {
    const spec = JSON.parse(place.dataset.chart);
    window.vegaEmbed(place, spec, { ast: true, actions: false, renderer: "svg", config: config(), tooltip: { theme: dark.matches ? "dark" : "light" } })
      .then(() => {
        // The place itself says what it shows, and the figures stand below it.
        place.querySelector("svg").removeAttribute("role");
        place.querySelector("svg").setAttribute("aria-hidden", "true");
        place.dataset.drawn = "yes";
      })
      .catch((problem) => { place.dataset.drawn = "no"; place.textContent = "This chart cannot be drawn here; its figures are below."; console.error(problem); });
  }

  function drawAll() { document.querySelectorAll("[data-chart]").forEach(draw); }
  drawAll();
  dark.addEventListener("change", drawAll);
})();
