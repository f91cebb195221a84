// Draws the charts. Expressions run in Vega's interpreter (ast), so the page's policy needs no
// 'unsafe-eval'; hover text is set as text, never as HTML.
(() => {
  "use strict";
  const parse = (id) => JSON.parse(document.getElementById(id).textContent);
  const sheet = document.getElementById("tiles");
  const bubble = document.getElementById("bubble");

  function picture(tile) {
    const [left, top, width, height] = tile;
    const view = document.createElement("span");
    view.className = "tile";
    view.style.width = `${2 * width}px`;
    view.style.height = `${2 * height}px`;
    view.style.backgroundImage = `url("${sheet.src}")`;
    view.style.backgroundSize = `${2 * sheet.naturalWidth}px ${2 * sheet.naturalHeight}px`;
    view.style.backgroundPosition = `${-2 * left}px ${-2 * top}px`;
    return view;
  }

  function place(event) {
    const { offsetWidth: width, offsetHeight: height } = bubble;
    const room = document.documentElement.clientWidth;
    const right = event.clientX + 14 + width <= room;
    const x = right ? event.clientX + 14 : Math.max(4, event.clientX - 14 - width);
    const below = event.clientY + 14 + height <= window.innerHeight;
    const y = below ? event.clientY + 14 : Math.max(4, event.clientY - 14 - height);
    bubble.style.left = `${x}px`;
    bubble.style.top = `${y}px`;
  }

  function hover(handler, event, item, value) {
    const shown = value && Array.isArray(value.tip);
    bubble.hidden = !shown;
    if (!shown) return;
    const lines = value.tip.map((line, position) => {
      const part = document.createElement(position ? "span" : "strong");
      part.textContent = line;
      part.dir = "auto";
      return part;
    });
    const text = document.createElement("div");
    text.append(...lines);
    bubble.replaceChildren(...(value.tile && sheet ? [picture(value.tile)] : []), text);
    place(event);
  }

  const options = {
    mode: "vega-lite",
    renderer: "svg",
    actions: false,
    ast: true,
    defaultStyle: false,
    tooltip: hover,
  };
  // Legends do not wrap by themselves: as many columns as the place has room for.
  function fitted(spec, width) {
    const columns = Math.max(1, Math.floor(width / 150));
    const legend = { ...spec.config.legend, columns };
    return { ...spec, config: { ...spec.config, legend } };
  }

  for (const spot of document.querySelectorAll("[data-chart]")) {
    if (spot.dataset.most) spot.style.maxWidth = `${spot.dataset.most}px`;
    const spec = fitted(parse(spot.dataset.chart), spot.clientWidth);
    vegaEmbed(spot, spec, options).catch((problem) => {
      spot.textContent = `This chart could not be drawn: ${problem.message}`;
    });
  }
})();
