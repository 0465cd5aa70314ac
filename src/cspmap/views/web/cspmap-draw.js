/* Ticking several areas on and off, and drawing a polygon or a circle, on Leaflet's own events.

   What is ticked is held here and told to Python whole, so that quick clicks are seen at once and none is lost. */
(() => {
  "use strict";

  const { make, svg } = window.cspmapParts;
  const TICKED = [{ color: "#FFFFFF", weight: 7 }, { color: "#801650", weight: 4 }];
  const SUGGESTED = [{ color: "#0B1016", weight: 6.5 }, { color: "#F46A25", weight: 4 }];
  const PANES = { suggested: 424, ticked: 426, sketch: 440 };
  const NEAR = 12; // pixels from the first corner at which a click closes a polygon
  const SAME = 4; // pixels within which a click is the one before again
  const PATIENCE = 10_000; // milliseconds after which an answer is taken to be lost

  const ICONS = {
    Polygon: "M3 12.5 2 5l6.5-3L14 7l-3.5 6.5z",
    Circle: "M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0z",
  };
  const HINTS = {
    Polygon: "Click each corner; click the first again, or Finish, to close.",
    Circle: "Click the centre, then a point on the edge.",
  };

  function button(className, title, onClick, ...inside) {
    const element = make("button", className);
    element.type = "button";
    element.title = title;
    element.setAttribute("aria-label", title);
    element.append(...inside);
    element.addEventListener("click", onClick);
    return element;
  }

  /* The outline of areas together: each stretch of border that only one of them has. Neighbours share every corner. */
  function outlineOf(areas) {
    const stretches = new Map();
    for (const { feature } of areas) {
      for (const ring of feature.geometry.coordinates.flat()) {
        for (let at = 1; at < ring.length; at += 1) {
          const key = [ring[at - 1].join(), ring[at].join()].sort().join(" ");
          if (stretches.has(key)) stretches.set(key, null);
          else stretches.set(key, [ring[at - 1], ring[at]].map(([longitude, latitude]) => [latitude, longitude]));
        }
      }
    }
    return [...stretches.values()].filter(Boolean);
  }

  function drawOutline(map, pane, looks, areas) {
    const stretches = outlineOf(areas);
    return L.layerGroup(looks.map((look) =>
      L.polyline(stretches, { ...look, pane, interactive: false, smoothFactor: 0, noClip: true }))).addTo(map);
  }

  function swatch(looks) {
    const lines = looks.map(({ color, weight }) => svg("path", { d: "M1 7h20", stroke: color, "stroke-width": weight }));
    return svg("svg", { width: 22, height: 14, "aria-hidden": "true" }, ...lines);
  }

  /* `send(value)` tells Python, and returns what tells this message from any other. */
  function makeDrawing(map, send) {
    for (const [name, level] of Object.entries(PANES)) {
      const pane = map.createPane(name);
      pane.style.zIndex = level;
      pane.style.pointerEvents = "none";
    }
    let shown = false; // areas can be ticked at all
    let areas = new Map();
    let ticked = new Set();
    let suggested = [];
    let waiting = null; // {nonce, since} of the last message that no answer has come to
    let outlines = { ticked: null, suggested: null };

    function find(codes) {
      return [...codes].map((code) => areas.get(code)).filter(Boolean);
    }

    function paint(name, looks, codes) {
      outlines[name]?.remove();
      const drawn = shown ? find(codes) : [];
      outlines[name] = drawn.length ? drawOutline(map, name, looks, drawn) : null;
    }

    function tell(value) {
      waiting = { nonce: send(value), since: Date.now() };
    }

    function toggle(code) {
      if (!ticked.delete(code)) ticked.add(code);
      areas.get(code)?.shape.getElement()?.setAttribute("aria-pressed", String(ticked.has(code)));
      paint("ticked", TICKED, ticked);
      tell({ picked: [...ticked] });
    }

    /* `picks` are [ticked codes, suggested codes, the message they answer]; null where nothing can be ticked. A view
       that was made before the last click must not take it back. */
    function load(picks, layer) {
      shown = picks !== null;
      tools.hidden = !shown;
      areas = layer.areas;
      if (!shown) stop();
      const [codes, others, answered] = picks ?? [[], [], null];
      const stale = waiting && waiting.nonce !== answered && Date.now() - waiting.since < PATIENCE;
      if (!stale) {
        waiting = null;
        ticked = new Set(codes);
      }
      suggested = others;
      paint("suggested", SUGGESTED, suggested);
      paint("ticked", TICKED, ticked);
    }

    function listRows() {
      if (!shown) return [];
      return [["chosen", TICKED], ...(suggested.length ? [["suggested", SUGGESTED]] : [])].map(([words, looks]) => {
        const row = make("li");
        row.append(swatch(looks), make("span", "", words));
        return row;
      });
    }

    // ---- the sketch of a polygon or a circle ---------------------------------------------------------------------

    let kind = null; // what is being drawn
    let corners = [];
    let pointer = null;
    const sketch = L.layerGroup().addTo(map);

    function begin(next) {
      stop();
      kind = next;
      map.getContainer().classList.add("cspmap-drawing");
      hint.textContent = HINTS[kind];
      finishing.hidden = kind === "Circle";
      bar.hidden = false;
      press();
      map.getContainer().focus({ preventScroll: true });
    }

    function stop() {
      kind = null;
      corners = [];
      pointer = null;
      sketch.clearLayers();
      bar.hidden = true;
      map.getContainer().classList.remove("cspmap-drawing");
      press();
    }

    function press() {
      for (const [name, one] of Object.entries(starts)) one.setAttribute("aria-pressed", String(name === kind));
    }

    function apart(one, other) {
      return map.latLngToContainerPoint(one).distanceTo(map.latLngToContainerPoint(other));
    }

    function add(at) {
      if (kind === "Circle" && corners.length === 1) return finishCircle(at);
      if (corners.length >= 3 && apart(corners[0], at) < NEAR) return finishPolygon();
      if (corners.length && apart(corners.at(-1), at) < SAME) return undefined;
      corners.push(at);
      return redraw();
    }

    function finishPolygon() {
      if (corners.length < 3) return;
      const ring = [...corners, corners[0]].map(({ lng, lat }) => [lng, lat]);
      stop();
      tell({ drawn: { type: "Polygon", coordinates: [ring] } });
    }

    function finishCircle(at) {
      const [{ lng, lat }] = corners;
      const metres = map.distance(corners[0], at);
      if (metres < 1) return;
      stop();
      tell({ drawn: { type: "Circle", centre: [lng, lat], metres } });
    }

    function redraw() {
      sketch.clearLayers();
      const style = { pane: "sketch", interactive: false, color: "#801650", weight: 2.5, fill: false };
      const line = pointer ? [...corners, pointer] : corners;
      if (kind === "Circle" && line.length > 1) {
        L.circle(line[0], { ...style, fill: true, fillOpacity: 0.1, radius: map.distance(line[0], line.at(-1)) }).addTo(sketch);
      } else L.polyline(line, { ...style, dashArray: "6 4" }).addTo(sketch);
      for (const corner of corners) {
        L.circleMarker(corner, { ...style, radius: 5, fill: true, fillColor: "#FFFFFF", fillOpacity: 1 }).addTo(sketch);
      }
    }

    const starts = {};
    for (const [name, path] of Object.entries(ICONS)) {
      const icon = svg("svg", { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" },
        svg("path", { d: path, fill: "none", stroke: "currentColor", "stroke-width": 1.6 }));
      starts[name] = button("", `Draw a ${name.toLowerCase()}`, () => (kind === name ? stop() : begin(name)), icon);
    }
    const tools = make("div", "leaflet-bar cspmap-tools");
    tools.hidden = true;
    tools.append(...Object.values(starts));
    const hint = make("span");
    hint.setAttribute("role", "status");
    const finishing = button("", "Finish", finishPolygon, "Finish");
    const bar = make("div", "cspmap-hint");
    bar.hidden = true;
    bar.append(hint, finishing, button("", "Cancel", stop, "Cancel"));
    for (const element of [tools, bar]) {
      L.DomEvent.disableClickPropagation(element);
      L.DomEvent.disableScrollPropagation(element);
    }
    const control = L.control({ position: "topleft" });
    control.onAdd = () => tools;
    control.addTo(map);
    map.getContainer().append(bar);

    map.on("click", (event) => { if (kind) add(event.latlng); });
    map.on("dblclick", () => { if (kind === "Polygon") finishPolygon(); });
    map.on("mousemove", (event) => {
      if (!kind || !corners.length) return;
      pointer = event.latlng;
      redraw();
    });
    document.addEventListener("keydown", (event) => {
      if (!kind) return;
      if (event.key === "Escape") stop();
      else if (event.key === "Enter" && event.target.tagName !== "BUTTON") finishPolygon();
      else if (event.key === "Backspace") { corners.pop(); redraw(); } else return;
      event.preventDefault();
      event.stopPropagation();
    }, true);

    return { load, toggle, listRows, has: (code) => shown && ticked.has(code) };
  }

  window.cspmapDraw = { makeDrawing };
})();
