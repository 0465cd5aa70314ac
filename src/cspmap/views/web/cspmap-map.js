/* The map in the browser. Python sends one call, cspmap.show(map, view), whenever something changed; boundaries are
   fetched once, and after that areas only change their colours in place.

   Every text in a view or a boundary file is untrusted: it reaches the page through textContent alone. */
(() => {
  "use strict";

  const OUTLINE = "#0B1016";
  const STRIP_BELOW = 720; // pixels of map width: the legend lies along the bottom instead of in the corner
  const CLOSED_BELOW = 480; // and is closed at first
  const CALM = window.matchMedia("(prefers-reduced-motion: reduce)");
  const POINTS = window.matchMedia("(hover: hover)"); // a mouse, not a finger

  let map = null;
  let view = null;
  let layer = null; // {url, group, areas: Map of code -> area}
  let chosen = null;
  let place = null;
  let settled = false; // the user has moved the map: it stays where it is
  let fitting = false;
  let sent = 0;
  const layers = new Map(); // url -> promise of a layer

  // Leaflet's own keyboard control takes the focus on every press, which scrolls the page away under the pointer; the
  // areas have a better one.
  L.Map.mergeOptions({
    maxZoom: 18, zoomSnap: 0.1, zoomDelta: 0.5, keyboard: false, doubleClickZoom: false, scrollWheelZoom: false,
  });
  L.Renderer.mergeOptions({ padding: 0.5 }); // so that dragging does not show a cut edge
  if (CALM.matches) L.Map.mergeOptions({ zoomAnimation: false, fadeAnimation: false, inertia: false });

  // ---- small helpers -------------------------------------------------------------------------------------------

  function make(tag, className, text) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  function svg(tag, attributes, ...children) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  function escaped(text) {
    return make("span", "", text).innerHTML;
  }

  // ---- looks ---------------------------------------------------------------------------------------------------

  const SHAPES = {
    hatch: (ink) => svg("path", { d: "M-2,2 l4,-4 M0,8 l8,-8 M6,10 l4,-4", stroke: ink, "stroke-width": 1.4 }),
    dots: (ink) => svg("g", { fill: ink }, svg("circle", { cx: 2, cy: 2, r: 1 }), svg("circle", { cx: 6, cy: 6, r: 1 })),
  };

  /* Patterns are defined once a page, in a picture of no size, and named in fill="url(#...)". */
  function definePatterns(specials) {
    if (document.getElementById("cspmap-patterns")) return;
    const defs = svg("defs", {});
    for (const [name, [fill, ink, pattern]] of Object.entries(specials)) {
      if (!pattern) continue;
      const size = { width: 8, height: 8 };
      defs.append(
        svg("pattern", { id: `cspmap-${name}`, patternUnits: "userSpaceOnUse", ...size },
          svg("rect", { ...size, fill }), SHAPES[pattern](ink)),
      );
    }
    const picture = svg("svg", { id: "cspmap-patterns", width: 0, height: 0, "aria-hidden": "true" }, defs);
    document.body.append(picture);
  }

  function colourOf(fill) {
    if (typeof fill === "number") return view.legend.classes[fill][0];
    const [plain, , pattern] = view.specials[fill];
    return pattern ? `url(#cspmap-${fill})` : plain;
  }

  /* A background map shows through. */
  function opacityOfFills() {
    return view.tiles ? 0.72 : 1;
  }

  function styleOf(code) {
    const [fill] = view.areas[code] || ["missing"];
    return { fillColor: colourOf(fill), fillOpacity: opacityOfFills(), color: OUTLINE, weight: 0.8, opacity: 1 };
  }

  /* The lines of an area's tooltip, its name first. */
  function linesOf(area) {
    const [, ...lines] = view.areas[area.code] || ["missing", view.specials.missing[3]];
    return [area.name, ...lines];
  }

  // ---- layers --------------------------------------------------------------------------------------------------

  function loadLayer(url) {
    if (!layers.has(url)) {
      const loading = fetch(url, { cache: "force-cache" }).then((answer) => {
        if (!answer.ok) throw new Error(`boundaries: ${answer.status}`);
        return answer.json();
      }).then((data) => readLayer(url, data));
      loading.catch(() => layers.delete(url)); // so that the next call tries again
      layers.set(url, loading);
    }
    return layers.get(url);
  }

  function readLayer(url, data) {
    const areas = new Map();
    const group = L.geoJSON(data, {
      pane: "areas",
      style: { fillColor: "#FFFFFF", fillOpacity: 1, color: OUTLINE, weight: 0.8 },
      onEachFeature(feature, shape) {
        const { code, name, label } = feature.properties;
        areas.set(code, { code, name, shape, feature, at: L.latLng(label[1], label[0]) });
        shape.on({
          click: (event) => {
            L.DomEvent.stopPropagation(event);
            choose(code);
            if (!POINTS.matches) chosen === null ? hideTip() : showTip(code, event.originalEvent);
          },
          // A finger does not hover, and what changes on a page under it can cost it its tap.
          mouseover: (event) => { if (POINTS.matches) { mark(code, "hover"); showTip(code, event.originalEvent); } },
          mousemove: (event) => { if (POINTS.matches) showTip(code, event.originalEvent); },
          mouseout: () => { mark(null, "hover"); hideTip(); },
          add: () => prepareElement(shape.getElement(), code),
        });
      },
    });
    return { url, group, areas };
  }

  function prepareElement(path, code) {
    if (path.dataset.code) return;
    path.dataset.code = code;
    path.setAttribute("role", "button");
    path.setAttribute("tabindex", "-1");
    path.addEventListener("keydown", (event) => onKey(event, code));
    path.addEventListener("focus", () => {
      setEntry(code);
      if (!path.matches(":focus-visible")) return;
      mark(code, "hover");
      bringIntoView(layer.areas.get(code));
      showTip(code, null);
    });
    path.addEventListener("blur", () => { mark(null, "hover"); hideTip(); });
  }

  // ---- what a user does ----------------------------------------------------------------------------------------

  /* Choosing the chosen area, or nothing, leaves it. The number makes every choice a new value. */
  function choose(code) {
    const next = code === chosen ? null : code;
    if (next === chosen) return;
    select(next);
    sent += 1;
    Streamlit.setComponentValue({ area: next, nonce: `${Date.now()}-${sent}` });
  }

  function select(code) {
    chosen = code;
    mark(code, "chosen");
    if (!layer) return;
    for (const area of layer.areas.values()) {
      area.shape.getElement()?.setAttribute("aria-pressed", String(area.code === code));
    }
    if (code !== null && layer.areas.has(code)) setEntry(code);
    placeLabels();
  }

  /* Only one area is a tab stop; arrows go on from there. */
  function setEntry(code) {
    for (const area of layer.areas.values()) {
      area.shape.getElement()?.setAttribute("tabindex", area.code === code ? "0" : "-1");
    }
  }

  const ZOOMS = { "+": 0.5, "=": 0.5, "-": -0.5 };
  const ARROWS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  function onKey(event, code) {
    if (event.key === "Enter" || event.key === " ") choose(code);
    else if (event.key === "Escape") choose(null);
    else if (event.key in ZOOMS) map.setZoomAround(layer.areas.get(code).at, map.getZoom() + ZOOMS[event.key]);
    else if (event.key in ARROWS) neighbour(code, ARROWS[event.key])?.shape.getElement().focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /* The area nearest in the arrow's direction; being off to the side counts double. */
  function neighbour(code, [dx, dy]) {
    const from = map.latLngToLayerPoint(layer.areas.get(code).at);
    let best = null;
    let least = Infinity;
    for (const area of layer.areas.values()) {
      const to = map.latLngToLayerPoint(area.at).subtract(from);
      const ahead = to.x * dx + to.y * dy;
      const aside = Math.abs(to.x * dy) + Math.abs(to.y * dx);
      const cost = ahead + 2 * aside;
      if (ahead > 0 && aside <= 2 * ahead && cost < least) [best, least] = [area, cost];
    }
    return best;
  }

  // ---- marks: lines drawn over an area, so that the areas themselves never change places -------------------------

  const marks = { hover: null, chosen: null };
  const MARKS = {
    hover: [{ color: "#FFFFFF", weight: 4 }, { color: OUTLINE, weight: 2 }],
    chosen: [{ color: "#FFFFFF", weight: 7 }, { color: OUTLINE, weight: 3.5 }],
  };

  function mark(code, kind) {
    marks[kind]?.remove();
    marks[kind] = null;
    const area = code !== null && layer?.areas.get(code);
    if (!area || (kind === "hover" && code === chosen)) return;
    const lines = MARKS[kind].map((line) =>
      L.geoJSON(area.feature, { pane: kind, interactive: false, style: { fill: false, lineJoin: "round", ...line } }));
    marks[kind] = L.layerGroup(lines).addTo(map);
  }

  // ---- tooltip -------------------------------------------------------------------------------------------------

  let tip = null;
  let fault = null;

  function showTip(code, event) {
    const area = layer.areas.get(code);
    if (tip.dataset.code !== code) {
      const [name, ...lines] = linesOf(area);
      tip.replaceChildren(make("strong", "", name), ...lines.map((line) => make("div", "", line)));
      tip.dataset.code = code;
    }
    tip.hidden = false;
    const at = event ? map.mouseEventToContainerPoint(event) : map.latLngToContainerPoint(area.at);
    const size = map.getSize();
    const left = at.x + 16 + tip.offsetWidth > size.x ? at.x - 12 - tip.offsetWidth : at.x + 16;
    const top = at.y + 16 + tip.offsetHeight > size.y ? at.y - 12 - tip.offsetHeight : at.y + 16;
    tip.style.transform = `translate(${Math.max(4, left)}px, ${Math.max(4, top)}px)`;
  }

  function hideTip() {
    tip.hidden = true;
    delete tip.dataset.code;
  }

  // ---- labels --------------------------------------------------------------------------------------------------

  const labels = new Map(); // code -> {marker, lines, width, height} of the layer that is shown
  const pen = document.createElement("canvas").getContext("2d");
  const LINE = 14;

  /* A long name goes on two lines, broken at the space nearest its middle. */
  function breakName(name) {
    const spaces = [...name.matchAll(/ /g)].map((match) => match.index);
    if (name.length <= 10 || !spaces.length) return [name];
    const middle = spaces.reduce((a, b) => (Math.abs(b - name.length / 2) < Math.abs(a - name.length / 2) ? b : a));
    return [name.slice(0, middle), name.slice(middle + 1)];
  }

  function makeLabels() {
    for (const { marker } of labels.values()) marker.remove();
    labels.clear();
    if (!view.labels) return;
    pen.font = getComputedStyle(map.getPane("labels")).font;
    for (const area of layer.areas.values()) {
      const lines = breakName(area.name);
      const text = make("div", "cspmap-label");
      text.append(...lines.map((line) => make("div", "", line)));
      const icon = L.divIcon({ className: "cspmap-label-anchor", html: text, iconSize: null });
      labels.set(area.code, {
        marker: L.marker(area.at, { icon, pane: "labels", interactive: false, keyboard: false }),
        width: Math.max(...lines.map((line) => pen.measureText(line).width)),
        height: LINE * lines.length,
        extent: area.shape.getBounds(),
      });
    }
  }

  /* Show a name where it fits: roughly within its area, and clear of the names before it (the chosen one, then large
     areas first). */
  function placeLabels() {
    if (!layer) return;
    const scale = map.getZoomScale(map.getZoom(), 0);
    const across = (extent) => (extent.getEast() - extent.getWest()) * scale * (256 / 360);
    const order = [...labels].sort(([a, one], [b, other]) =>
      (b === chosen) - (a === chosen) || across(other.extent) - across(one.extent));
    const taken = [];
    for (const [code, { marker, width, height, extent }] of order) {
      const at = map.latLngToLayerPoint(marker.getLatLng());
      const box = L.bounds(at.subtract([width / 2 + 3, height / 2]), at.add([width / 2 + 3, height / 2]));
      const fits = code === chosen || width < across(extent);
      if (fits && !taken.some((other) => other.overlaps(box))) {
        taken.push(box);
        marker.addTo(map);
      } else marker.remove();
    }
  }

  // ---- legend --------------------------------------------------------------------------------------------------

  let legend = null;

  function swatch(fill) {
    const box = svg("svg", { width: 22, height: 14, "aria-hidden": "true" });
    const colour = { fill: colourOf(fill), "fill-opacity": opacityOfFills(), stroke: OUTLINE };
    box.append(svg("rect", { x: 0.5, y: 0.5, width: 21, height: 13, ...colour }));
    return box;
  }

  function drawLegend() {
    if (!legend) {
      legend = make("details", "cspmap-legend");
      legend.open = map.getSize().x >= CLOSED_BELOW;
      legend.addEventListener("toggle", refit);
      L.DomEvent.disableClickPropagation(legend);
      L.DomEvent.disableScrollPropagation(legend);
      const control = L.control({ position: "bottomright" });
      control.onAdd = () => legend;
      control.addTo(map);
    }
    const used = new Set([...layer.areas.keys()].map((code) => (view.areas[code] || ["missing"])[0]));
    const rows = view.legend.classes.map(([, label], index) => [index, label]);
    for (const [name, [, , , words]] of Object.entries(view.specials)) if (used.has(name)) rows.push([name, words]);
    const list = make("ul");
    for (const [fill, label] of rows) {
      const row = make("li");
      row.append(swatch(fill), make("span", "", label));
      list.append(row);
    }
    legend.replaceChildren(make("summary", "", view.legend.title), list);
    if (view.legend.rule) legend.append(make("p", "", view.legend.rule));
    legend.classList.toggle("cspmap-strip", map.getSize().x < STRIP_BELOW);
  }

  // ---- view of the whole, background, attribution ----------------------------------------------------------------

  /* Fit the layer into what the legend leaves free. */
  function fitWhole() {
    const strip = legend.classList.toggle("cspmap-strip", map.getSize().x < STRIP_BELOW);
    const free = strip ? [12, legend.offsetHeight + 40] : [legend.offsetWidth + 20, 24];
    fitting = true;
    map.setMinZoom(0);
    map.fitBounds(layer.group.getBounds(), { paddingTopLeft: [12, 12], paddingBottomRight: free, animate: false });
    map.setMinZoom(Math.floor(map.getZoom()) - 1);
    fitting = false;
  }

  function refit() {
    if (layer && !settled) fitWhole();
  }

  function bringIntoView(area) {
    if (map.getBounds().contains(area.at)) return;
    settled = true;
    map.panTo(area.at, { animate: !CALM.matches });
  }

  function addHome() {
    const home = L.control({ position: "topleft" });
    home.onAdd = () => {
      const bar = make("div", "leaflet-bar");
      const button = make("a", "cspmap-home");
      button.href = "#";
      button.title = "Whole partnership";
      button.setAttribute("role", "button");
      button.setAttribute("aria-label", button.title);
      button.append(svg("svg", { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" },
        svg("path", { d: "M1.5 8 8 2.5 14.5 8M4 7v6.5h8V7", fill: "none", stroke: "currentColor", "stroke-width": 1.6 })));
      L.DomEvent.disableClickPropagation(bar);
      L.DomEvent.on(button, "click", (event) => { L.DomEvent.stop(event); settled = false; fitWhole(); });
      bar.append(button);
      return bar;
    };
    home.addTo(map);
  }

  let tiles = null; // {url, layer}
  let credits = [];

  function drawBackground() {
    const [url, attribution] = view.tiles || [null, ""];
    if (url !== (tiles?.url ?? null)) {
      tiles?.layer.remove();
      tiles = url && { url, layer: L.tileLayer(url).addTo(map) };
    }
    for (const credit of credits) map.attributionControl.removeAttribution(credit);
    credits = [view.attribution, attribution].filter(Boolean).map(escaped);
    for (const credit of credits) map.attributionControl.addAttribution(credit);
  }

  /* The page around the map has loaded its typeface already: use the same file, so that the map reads as a part of it.
     Where there is none, the system's typeface does. */
  function borrowTypeface() {
    const rules = [...window.parent.document.styleSheets].flatMap((sheet) =>
      sheet.href?.startsWith(location.origin) ? [...sheet.cssRules].map((rule) => [rule, sheet.href]) : []);
    const [rule, base] = rules.find(([one]) => one instanceof window.parent.CSSFontFaceRule
      && one.style.getPropertyValue("font-family").includes("Source Sans")
      && one.style.getPropertyValue("font-style") === "normal") || [];
    const file = rule?.style.getPropertyValue("src").match(/url\("([^"]+)"\)/);
    if (!file) return;
    const face = new FontFace("Source Sans", `url("${new URL(file[1], base)}")`, { weight: "100 900" });
    document.fonts.add(face);
    face.load().then(() => { if (layer) { makeLabels(); placeLabels(); } }, () => {});
  }

  // ---- the one call --------------------------------------------------------------------------------------------

  function begin(target) {
    map = target;
    borrowTypeface();
    map.attributionControl.setPrefix(false);
    // The wheel scrolls the page until the map is in use.
    map.getContainer().addEventListener("pointerdown", () => map.scrollWheelZoom.enable());
    map.getContainer().addEventListener("mouseleave", () => map.scrollWheelZoom.disable());
    // On a phone one finger scrolls the page and two move the map.
    if (window.matchMedia("(pointer: coarse)").matches && map.getSize().x < STRIP_BELOW) map.dragging.disable();

    for (const [name, level] of [["areas", 400], ["hover", 420], ["chosen", 430], ["labels", 450]]) {
      const pane = map.createPane(name);
      pane.style.zIndex = level;
      if (name !== "areas") pane.style.pointerEvents = "none";
    }
    map.getPane("areas").setAttribute("role", "group");
    map.getPane("labels").setAttribute("aria-hidden", "true");
    L.control.zoom({ position: "topleft" }).addTo(map);
    addHome();
    L.control.scale({ position: "topright", maxWidth: 110, imperial: false }).addTo(map);
    tip = make("div", "cspmap-tip");
    tip.hidden = true;
    tip.setAttribute("aria-hidden", "true"); // the areas carry the same text as their names
    fault = make("div", "cspmap-fault");
    fault.setAttribute("role", "alert");
    fault.hidden = true;
    map.getContainer().append(tip, fault);

    map.on("click", () => { hideTip(); choose(null); });
    map.on("zoomend", placeLabels);
    map.on("dragstart zoomstart", () => { if (!fitting) settled = true; });
    map.on("resize", refit);
  }

  function draw(next) {
    if (layer !== next) {
      layer?.group.remove();
      mark(null, "hover");
      hideTip();
      layer = next;
      layer.group.addTo(map);
    }
    for (const area of layer.areas.values()) {
      area.shape.setStyle(styleOf(area.code));
      area.shape.getElement()?.setAttribute("aria-label", linesOf(area).join(", "));
    }
    delete tip.dataset.code;
    report("");
    makeLabels();
    drawLegend();
    drawBackground();
    if (place !== view.place) {
      place = view.place;
      settled = false;
      fitWhole();
    }
    const was = chosen;
    select(view.selected);
    if (!map.getPane("areas").querySelector('[tabindex="0"]')) setEntry(layer.areas.keys().next().value);
    if (view.selected !== null && view.selected !== was && layer.areas.has(view.selected)) {
      bringIntoView(layer.areas.get(view.selected));
    }
    name(`Areas: ${view.legend.title}. Arrow keys move between areas, Enter chooses one, plus and minus zoom.`);
  }

  function report(text) {
    fault.textContent = text;
    fault.hidden = !text;
  }

  function name(text) {
    map.getPane("areas").setAttribute("aria-label", text);
    if (window.frameElement) window.frameElement.title = `Map: ${view.legend.title}`;
  }

  /* Without its styles the legend has another size, and the map would be fitted beside that. */
  let styled = null;

  function loadStyles() {
    const waiting = [...document.querySelectorAll('link[rel="stylesheet"]')].filter((link) => !link.sheet);
    return Promise.all(waiting.map((link) => new Promise((done) => {
      link.addEventListener("load", done);
      link.addEventListener("error", done); // a map without its styles is still a map
    })));
  }

  /* Returns a layer for streamlit-folium to hold: it removes it again before the next call, which must cost nothing. */
  function show(target, next) {
    if (!map) begin(target);
    view = next;
    window.feature_group = [];
    definePatterns(view.specials);
    styled ??= loadStyles();
    Promise.all([loadLayer(view.layer), styled]).then(
      ([loaded]) => { if (view === next) draw(loaded); },
      () => { if (view === next) report("The boundaries could not be loaded. Reload the page to try again."); },
    );
    return L.layerGroup();
  }

  window.cspmap = { show };
})();
