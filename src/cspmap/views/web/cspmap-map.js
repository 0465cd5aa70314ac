/* The map in the browser. Python sends one call, cspmap.show(map, view), whenever something changed; boundaries are
   fetched once, and after that areas only change their colours in place.

   Every text in a view or a boundary file is untrusted: it reaches the page through textContent alone. */
(() => {
  "use strict";

  const { make, svg, definePatterns, makeGrid, makeLabeller, makePicture, makePlayer } = window.cspmapParts;
  const { makeDrawing } = window.cspmapDraw;
  const OUTLINE = "#0B1016";
  const STRIP_BELOW = 720; // pixels of map width: the legend lies along the bottom instead of in the corner
  const CLOSED_BELOW = 480; // and is closed at first
  const CALM = window.matchMedia("(prefers-reduced-motion: reduce)");
  const POINTS = window.matchMedia("(hover: hover)"); // a mouse, not a finger

  let map = null;
  let view = null;
  let layer = null; // {url, group, areas: Map of code -> area}
  let lines = null; // the same of a layer that is drawn as lines over the areas, for orientation
  let places = new Map(); // code -> what is drawn over the areas to be chosen like one
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

  function escaped(text) {
    return make("span", "", text).innerHTML;
  }

  // ---- looks ---------------------------------------------------------------------------------------------------

  function colourOf(fill) {
    if (typeof fill === "number") return view.legend.classes[fill][0];
    const [plain, , pattern] = view.specials[fill];
    return pattern ? `url(#cspmap-${fill})` : plain;
  }

  /* A background map shows through. */
  function opacityOfFills() {
    return view.picture ? view.picture[2] : view.tiles ? 0.72 : 1;
  }

  function fillOf(code) {
    const fill = fills?.get(code) ?? (view.areas[code] || ["missing"])[0];
    return shown.size && typeof fill === "number" && !shown.has(fill) ? "left out" : fill;
  }

  /* Under a picture areas are not seen, but can still be pointed at. */
  function styleOf(code) {
    const seen = view.picture ? 0 : 1;
    const thin = lines ? 0.4 : 0.8;
    const fillOpacity = seen * opacityOfFills();
    return { fillColor: colourOf(fillOf(code)), fillOpacity, color: OUTLINE, weight: thin, opacity: seen };
  }

  function labelOf(fill) {
    return typeof fill === "number" ? view.legend.classes[fill][1] : view.specials[fill][3];
  }

  /* The lines of a tooltip, its name first. */
  function linesOf(area) {
    if (places.get(area.code) === area) return [area.name, ...area.lines];
    if (player.at !== null) return [area.name, player.name, labelOf(fillOf(area.code))];
    const [, , ...texts] = view.areas[area.code] || ["missing", "", view.specials.missing[3]];
    return [area.name, ...texts];
  }

  /* A place drawn over the areas goes before an area of the same code. */
  function find(code) {
    return places.get(code) ?? layer?.areas.get(code);
  }

  /* What the keyboard goes through: the places where there are any, as they are few, else the areas. */
  function stops() {
    return places.size ? places : layer.areas;
  }

  function everything() {
    return [...layer.areas.values(), ...places.values()];
  }

  // ---- layers --------------------------------------------------------------------------------------------------

  function loadLayer(url, read = readLayer) {
    const key = `${read.name} ${url}`; // the same boundaries may be drawn as areas and as lines
    if (!layers.has(key)) {
      const loading = fetch(url, { cache: "force-cache" }).then((answer) => {
        if (!answer.ok) throw new Error(`boundaries: ${answer.status}`);
        return answer.json();
      }).then((data) => read(url, data));
      loading.catch(() => layers.delete(key)); // so that the next call tries again
      layers.set(key, loading);
    }
    return layers.get(key);
  }

  function readLines(url, data) {
    const areas = new Map();
    const group = L.geoJSON(data, {
      pane: "lines",
      interactive: false,
      style: { fill: false, color: OUTLINE, weight: 1.3, opacity: 0.65 },
      onEachFeature({ properties: { code, name, label } }, shape) {
        areas.set(code, { code, name, shape, at: L.latLng(label[1], label[0]) });
      },
    });
    return { url, group, areas };
  }

  function readLayer(url, data) {
    const areas = new Map();
    const group = L.geoJSON(data, {
      pane: "areas",
      style: { fillColor: "#FFFFFF", fillOpacity: 1, color: OUTLINE, weight: 0.8 },
      onEachFeature(feature, shape) {
        const { code, name, label } = feature.properties;
        const area = { code, name, shape, feature, at: L.latLng(label[1], label[0]) };
        areas.set(code, area);
        listen(area);
      },
    });
    return { url, group, areas };
  }

  function listen(area) {
    area.shape.on({
      click: (event) => {
        L.DomEvent.stopPropagation(event);
        choose(area.code);
        if (!POINTS.matches) chosen === null ? hideTip() : showTip(area, event.originalEvent);
      },
      // A finger does not hover, and what changes on a page under it can cost it its tap.
      mouseover: (event) => { if (POINTS.matches) { mark(area, "hover"); showTip(area, event.originalEvent); } },
      mousemove: (event) => { if (POINTS.matches) showTip(area, event.originalEvent); },
      mouseout: () => { mark(null, "hover"); hideTip(); },
      add: () => prepareElement(area.shape.getElement(), area),
    });
  }

  function prepareElement(path, area) {
    if (path.dataset.code) return;
    path.dataset.code = area.code;
    path.setAttribute("role", "button");
    path.setAttribute("tabindex", "-1");
    path.addEventListener("keydown", (event) => onKey(event, area));
    path.addEventListener("focus", () => {
      setEntry(area.code);
      if (!path.matches(":focus-visible")) return;
      mark(area, "hover");
      bringIntoView(area);
      showTip(area, null);
    });
    path.addEventListener("blur", () => { mark(null, "hover"); hideTip(); });
  }

  // ---- places drawn over the areas --------------------------------------------------------------------------------

  let placed = null; // {text, group} of what is drawn

  /* Drawn anew only where they differ, so that none loses the focus. */
  function drawPlaces() {
    const text = JSON.stringify(view.places);
    if (placed?.text === text) return;
    const focused = document.activeElement?.dataset?.code;
    placed?.group.remove();
    places = new Map();
    const group = L.featureGroup();
    for (const [code, name, mark, texts, at, geometry] of view.places) {
      const feature = { type: "Feature", properties: {}, geometry };
      const style = { pane: "places", color: OUTLINE, weight: 2.4, opacity: 1, lineJoin: "round", fillColor: OUTLINE, fillOpacity: 0 };
      const shape = L.geoJSON(feature, {
        style, pointToLayer: (_, where) => L.circleMarker(where, { ...style, radius: 7, fillColor: "#FFFFFF", fillOpacity: 0.9 }),
      }).getLayers()[0];
      const area = { code, name, mark, lines: texts, shape, feature, at: L.latLng(at[1], at[0]) };
      places.set(code, area);
      listen(area);
      group.addLayer(shape);
    }
    placed = { text, group: group.addTo(map) };
    if (focused) places.get(focused)?.shape.getElement().focus({ preventScroll: true });
  }

  // ---- what a user does ----------------------------------------------------------------------------------------

  /* Choosing the chosen area, or nothing, leaves it. Where several can be ticked, it is ticked on or off instead. */
  function choose(code) {
    if (view.picks) {
      if (code !== null) drawing.toggle(code);
      return;
    }
    const next = code === chosen ? null : code;
    if (next === chosen) return;
    select(next);
    send({ area: next });
  }

  /* The number makes every message a new one. */
  function send(value) {
    sent += 1;
    const nonce = `${Date.now()}-${sent}`;
    Streamlit.setComponentValue({ ...value, nonce });
    return nonce;
  }

  function select(code) {
    chosen = code;
    mark(find(code), "chosen");
    if (!layer) return;
    const one = find(code);
    for (const area of everything()) area.shape.getElement()?.setAttribute("aria-pressed", String(area === one || drawing.has(area.code)));
    if (stops().has(code)) setEntry(code);
    placeLabels();
  }

  /* Only one area is a tab stop; arrows go on from there. */
  function setEntry(code) {
    const one = stops().get(code) ?? find(code);
    for (const area of everything()) area.shape.getElement()?.setAttribute("tabindex", area === one ? "0" : "-1");
  }

  const ZOOMS = { "+": 0.5, "=": 0.5, "-": -0.5 };
  const ARROWS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  function onKey(event, area) {
    if (event.key === "Enter" || event.key === " ") choose(area.code);
    else if (event.key === "Escape") choose(null);
    else if (event.key in ZOOMS) map.setZoomAround(area.at, map.getZoom() + ZOOMS[event.key]);
    else if (event.key in ARROWS) neighbour(area, ARROWS[event.key])?.shape.getElement().focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /* The area nearest in the arrow's direction; being off to the side counts double. */
  function neighbour(one, [dx, dy]) {
    const from = map.latLngToLayerPoint(one.at);
    let best = null;
    let least = Infinity;
    for (const area of stops().values()) {
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

  function mark(area, kind) {
    marks[kind]?.remove();
    marks[kind] = null;
    if (!area || (kind === "hover" && area === find(chosen))) return;
    const drawn = MARKS[kind].map((line) => {
      const style = { pane: kind, interactive: false, fill: false, lineJoin: "round", ...line };
      return L.geoJSON(area.feature, { style, ...style, pointToLayer: (_, at) => L.circleMarker(at, { ...style, radius: 9 }) });
    });
    marks[kind] = L.layerGroup(drawn).addTo(map);
  }

  // ---- tooltip -------------------------------------------------------------------------------------------------

  let tip = null;
  let tipped = null; // the area that it tells of
  let fault = null;

  function showTip(area, event) {
    if (tipped !== area) {
      const [name, ...texts] = linesOf(area);
      tip.replaceChildren(make("strong", "", name), ...texts.map((line) => make("div", "", line)));
      tipped = area;
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
    tipped = null;
  }

  // ---- labels --------------------------------------------------------------------------------------------------

  let labels = null;

  function makeLabels() {
    labels.clear();
    for (const area of places.values()) labels.addPlate(area, area.mark);
    for (const area of layer.areas.values()) {
      const [, mark] = view.areas[area.code] || [];
      labels.add(area, { mark, name: view.labels && !lines ? area.name : "" });
    }
    if (view.labels && lines) for (const area of lines.areas.values()) labels.add(area, { name: area.name });
  }

  function placeLabels() {
    if (layer) labels.place(find(chosen));
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
      const above = L.control({ position: "bottomright" });
      above.onAdd = () => player.element;
      above.addTo(map);
    }
    const used = new Set(view.picture ? [] : [...layer.areas.keys()].map(fillOf));
    for (const fills of view.frames?.fills ?? []) for (const letter of fills) if (letter in SPECIALS) used.add(SPECIALS[letter]);
    const rows = view.legend.grid ? [] : view.legend.classes.map(([, label], index) => [index, label]);
    for (const [name, [, , , words]] of Object.entries(view.specials)) if (used.has(name)) rows.push([name, words]);
    const list = make("ul");
    for (const [fill, label] of rows) {
      const row = make("li");
      row.append(swatch(fill), make("span", "", label));
      list.append(row);
    }
    list.append(...drawing.listRows());
    const rule = view.legend.rule ? [make("p", "", view.legend.rule)] : [];
    refill(legend, [make("summary", "", view.legend.title), ...drawGrid(), list, ...rule]);
    stretch();
  }

  /* Everything anew but what is there already: taken out, it would lose the focus. */
  function refill(parent, children) {
    const kept = children.findIndex((child) => child.parentNode === parent);
    if (kept < 0) {
      parent.replaceChildren(...children);
      return;
    }
    for (const child of [...parent.childNodes]) if (child !== children[kept]) child.remove();
    children[kept].before(...children.slice(0, kept));
    children[kept].after(...children.slice(kept + 1));
  }

  // ---- classes that are shown alone ------------------------------------------------------------------------------

  let shown = new Set(); // none: all are
  let told = null; // the message that the next view must answer to be taken
  let grid = null; // {text, element, show}

  /* The square of a legend that has one, made anew only where it differs, so that none of its buttons loses the focus. */
  function drawGrid() {
    if (!view.legend.grid) return [];
    const { shown: _, answers: __, ...rest } = view.legend.grid;
    const text = JSON.stringify([rest, view.legend.classes]);
    if (grid?.text !== text) {
      const [colours, names] = [0, 1].map((part) => view.legend.classes.map((one) => one[part]));
      grid = { text, ...makeGrid(rest, colours, names, tickClass) };
    }
    grid.show(shown);
    return [grid.element];
  }

  /* A view made before the last tick does not take it back. */
  function takeShown() {
    const own = view.legend.grid;
    if (!own) [shown, told] = [new Set(), null];
    else if (told === null || own.answers === told) [shown, told] = [new Set(own.shown), null];
  }

  function tickClass(number) {
    if (number === null) shown.clear();
    else if (!shown.delete(number)) shown.add(number);
    if (shown.size === view.legend.classes.length) shown.clear();
    paint();
    grid.show(shown);
    told = send({ shown: [...shown] });
  }

  function stretch() {
    const strip = map.getSize().x < STRIP_BELOW;
    for (const element of [legend, player.element]) element.classList.toggle("cspmap-strip", strip);
    return strip;
  }

  // ---- steps in time -----------------------------------------------------------------------------------------------

  const SPECIALS = { m: "missing", z: "zero", s: "suppressed", l: "left out" };
  let picture = null;
  let player = null;
  let drawing = null;
  let fills = null; // of the step that is shown: Map of code -> fill

  /* Show a step of the frames: the areas' fills, a digit or letter each in the order of the view's areas, or a picture. */
  function showStep(number) {
    const step = view.frames.fills?.[number];
    fills = step ? new Map(Object.keys(view.areas).map((code, place) => [code, SPECIALS[step[place]] ?? Number(step[place])])) : null;
    tipped = null;
    paint();
  }

  /* Colours of the areas, and the picture over them. */
  function paint() {
    for (const area of layer.areas.values()) area.shape.setStyle(styleOf(area.code));
    for (const area of everything()) area.shape.getElement()?.setAttribute("aria-label", linesOf(area).join(", "));
    const [url, bounds, opacity] = view.picture ?? [null];
    picture.show(player.at === null || !view.picture ? url : view.frames.pictures[player.at], bounds, opacity);
  }

  // ---- view of the whole, background, attribution ----------------------------------------------------------------

  /* Fit the layer into what the legend leaves free. */
  function fitWhole() {
    const free = stretch()
      ? [12, legend.offsetHeight + player.element.offsetHeight + 40]
      : [Math.max(legend.offsetWidth, player.element.offsetWidth) + 20, 24];
    fitting = true;
    map.setMinZoom(0);
    map.fitBounds(layer.group.getBounds(), { paddingTopLeft: [view.picks ? 56 : 12, 12], paddingBottomRight: free, animate: false });
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

  const PANES = { areas: 400, picture: 405, lines: 408, places: 410, hover: 420, chosen: 430, labels: 450 };

  function begin(target) {
    map = target;
    borrowTypeface();
    map.attributionControl.setPrefix(false);
    // The wheel scrolls the page until the map is in use.
    map.getContainer().addEventListener("pointerdown", () => map.scrollWheelZoom.enable());
    map.getContainer().addEventListener("mouseleave", () => map.scrollWheelZoom.disable());
    // On a phone one finger scrolls the page and two move the map.
    if (window.matchMedia("(pointer: coarse)").matches && map.getSize().x < STRIP_BELOW) map.dragging.disable();

    for (const [name, level] of Object.entries(PANES)) {
      const pane = map.createPane(name);
      pane.style.zIndex = level;
      if (name !== "areas" && name !== "places") pane.style.pointerEvents = "none";
    }
    for (const name of ["areas", "places"]) map.getPane(name).setAttribute("role", "group");
    map.getPane("places").setAttribute("aria-label", "Places");
    labels = makeLabeller(map);
    picture = makePicture(map);
    player = makePlayer(showStep);
    map.getPane("labels").setAttribute("aria-hidden", "true");
    L.control.zoom({ position: "topleft" }).addTo(map);
    addHome();
    drawing = makeDrawing(map, send);
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

  function draw(next, nextLines) {
    if (layer !== next) {
      layer?.group.remove();
      mark(null, "hover");
      hideTip();
      layer = next;
      layer.group.addTo(map);
    }
    if (lines !== nextLines) {
      lines?.group.remove();
      lines = nextLines;
      lines?.group.addTo(map);
    }
    drawPlaces();
    drawing.load(view.picks, layer);
    fills = null;
    takeShown();
    player.load(view.frames?.names ?? []);
    paint();
    tipped = null;
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
    if (![...stops().values()].some((area) => area.shape.getElement()?.getAttribute("tabindex") === "0")) {
      setEntry(stops().keys().next().value);
    }
    if (view.selected !== null && view.selected !== was && find(view.selected)) bringIntoView(find(view.selected));
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
    Promise.all([loadLayer(view.layer), view.lines ? loadLayer(view.lines, readLines) : null, styled]).then(
      ([areas, over]) => { if (view === next) draw(areas, over); },
      () => { if (view === next) report("The boundaries could not be loaded. Reload the page to try again."); },
    );
    return L.layerGroup();
  }

  window.cspmap = { show };
})();
