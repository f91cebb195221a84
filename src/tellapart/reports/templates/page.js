// Draws the charts. Expressions run in Vega's interpreter (ast), so the page's policy needs no
// 'unsafe-eval'; hover text is set as text, never as HTML.
(() => {
  "use strict";
  const parse = (id) => JSON.parse(document.getElementById(id).textContent);
  const sheet = document.getElementById("tiles");
  const bubble = document.getElementById("bubble");

  function picture(tile, size = 2) {
    const [left, top, width, height] = tile;
    const view = document.createElement("span");
    view.className = "tile";
    view.style.width = `${size * width}px`;
    view.style.height = `${size * height}px`;
    view.style.backgroundImage = `url("${sheet.src}")`;
    view.style.backgroundSize = `${size * sheet.naturalWidth}px ${size * sheet.naturalHeight}px`;
    view.style.backgroundPosition = `${-size * left}px ${-size * top}px`;
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

  // Maps on one page show the same pictures: what is pointed at or chosen in one is so in all.
  const views = [];
  function tell(signal, value) {
    for (const view of views) {
      if (view.signal(signal) !== value) view.signal(signal, value).runAsync();
    }
  }

  function hover(handler, event, item, value) {
    tell("lit", value && value.at !== undefined ? value.at : -1);
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
  // Legends do not wrap by themselves: as many columns as the place has room for. Long labels leave
  // half of a narrow page to the chart.
  function fitted(spec, width) {
    const columns = Math.max(1, Math.floor(width / 150));
    const legend = { ...spec.config.legend, columns };
    const labelLimit = Math.min(spec.config.axis.labelLimit, 0.45 * width);
    const axis = { ...spec.config.axis, labelLimit };
    return { ...spec, config: { ...spec.config, axis, legend } };
  }

  // The same map drawn with the pictures: each cell of a grid shows the one nearest to its middle.
  function mosaic(spot) {
    const spec = parse(spot.dataset.mosaic);
    const { domain, range } = spec.encoding.color.scale;
    const across = Math.max(5, Math.floor(spot.clientWidth / 54));
    const down = Math.ceil(0.6 * across);
    const cells = new Map();
    for (const row of spec.datasets.rows.filter((one) => one.tile)) {
      const column = Math.min(across - 1, Math.floor(row.x * across));
      const line = Math.min(down - 1, Math.floor((1 - row.y) * down));
      const away = Math.hypot(row.x * across - column - 0.5, (1 - row.y) * down - line - 0.5);
      const held = cells.get(line * across + column);
      if (!held || away < held.away) cells.set(line * across + column, { row, column, line, away });
    }
    spot.style.gridTemplateColumns = `repeat(${across}, minmax(0, 1fr))`;
    for (const { row, column, line } of cells.values()) {
      const view = picture(row.tile, 1);
      view.style.gridColumn = column + 1;
      view.style.gridRow = line + 1;
      view.style.borderColor = range[domain.indexOf(row.class)];
      view.addEventListener("pointermove", (event) => hover(null, event, null, row));
      view.addEventListener("pointerleave", (event) => hover(null, event, null, null));
      spot.append(view);
    }
  }
  const drawn = document.querySelector("[data-mosaic]");
  if (drawn && sheet) sheet.decode().then(() => mosaic(drawn));

  for (const spot of document.querySelectorAll("[data-chart]")) {
    if (spot.dataset.most) spot.style.maxWidth = `${spot.dataset.most}px`;
    const spec = fitted(parse(spot.dataset.chart), spot.clientWidth);
    vegaEmbed(spot, spec, options).then(({ view }) => {
      if (!("lit" in view.getState().signals)) return;
      views.push(view);
      view.addSignalListener("pick_class_legend", tell);
    }).catch((problem) => {
      spot.textContent = `This chart could not be drawn: ${problem.message}`;
    });
  }
})();
