/* What the map is put together from: elements, patterns, labels, a picture, and the player that steps through months.

   Every text is untrusted: it reaches the page through textContent alone. */
(() => {
  "use strict";

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

  /* A legend of two figures: their classes in a square, each a button that ticks it to be shown alone.

     `names` and `colours` are by class, from the lowest of both figures; `tick` is called with a class, or null for all. */
  function makeGrid({ side, across, up, sizes, inks }, colours, names, tick) {
    const square = make("div", "cspmap-square");
    square.style.gridTemplateColumns = `repeat(${side}, 1fr)`;
    square.setAttribute("role", "group");
    square.setAttribute("aria-label", "Show only the areas of some classes");
    const buttons = new Map();
    for (let row = side - 1; row >= 0; row -= 1) {
      for (let column = 0; column < side; column += 1) {
        const number = side * row + column;
        const button = make("button", "", String(sizes[number]));
        button.type = "button";
        button.title = `${names[number]}: ${sizes[number]} ${sizes[number] === 1 ? "area" : "areas"}`;
        button.setAttribute("aria-label", button.title);
        button.dataset.class = number;
        button.style.background = colours[number];
        button.style.color = inks[number];
        button.addEventListener("click", () => tick(number));
        buttons.set(number, button);
        square.append(button);
      }
    }
    const all = make("button", "cspmap-all", "Show all");
    all.type = "button";
    all.addEventListener("click", () => { buttons.get(0).focus(); tick(null); });
    const element = make("div", "cspmap-grid");
    element.append(make("span", "cspmap-up", `${up} →`), square, make("span", "cspmap-across", `${across} →`), all);
    return {
      element,
      show(shown) {
        for (const [number, button] of buttons) {
          button.setAttribute("aria-pressed", String(shown.has(number)));
          button.classList.toggle("cspmap-off", shown.size > 0 && !shown.has(number));
        }
        all.hidden = !shown.size;
      },
    };
  }

  const LINE = 14;
  const MARK = 20; // the height of a mark, such as the letter of a rating
  const pen = document.createElement("canvas").getContext("2d");

  /* A long name goes on two lines, broken at the space nearest its middle. */
  function breakName(name) {
    const spaces = [...name.matchAll(/ /g)].map((match) => match.index);
    if (name.length <= 10 || !spaces.length) return [name];
    const middle = spaces.reduce((a, b) => (Math.abs(b - name.length / 2) < Math.abs(a - name.length / 2) ? b : a));
    return [name.slice(0, middle), name.slice(middle + 1)];
  }

  /* The number of a place, in a plate of its own above the point. */
  function makePlate(mark) {
    const html = make("div", "cspmap-plate", mark);
    const icon = L.divIcon({ className: "cspmap-label-anchor", html, iconSize: null });
    return { icon, width: Math.max(MARK, pen.measureText(mark).width + 12), height: MARK, above: true };
  }

  /* One way to label an area: its mark, if it has one, over lines of text. */
  function makeForm(mark, lines) {
    const text = make("div", "cspmap-label");
    if (mark) text.append(make("div", "cspmap-label-mark", mark));
    text.append(...lines.map((line) => make("div", "", line)));
    return {
      icon: L.divIcon({ className: "cspmap-label-anchor", html: text, iconSize: null }),
      width: Math.max(mark ? MARK : 0, ...lines.map((line) => pen.measureText(line).width)),
      height: LINE * lines.length + (mark ? MARK : 0),
    };
  }

  /* Names and marks on the map, where they fit. */
  function makeLabeller(map) {
    const labels = new Map(); // area -> {marker, forms, extent, first}

    function put(area, forms, first) {
      if (!forms.length) return;
      const extent = area.shape.getBounds?.() ?? L.latLngBounds(area.at, area.at);
      const marker = L.marker(area.at, { icon: forms[0].icon, pane: "labels", interactive: false, keyboard: false });
      labels.set(area, { marker, forms, extent, first });
    }

    return {
      clear() {
        for (const { marker } of labels.values()) marker.remove();
        labels.clear();
        pen.font = getComputedStyle(map.getPane("labels")).font;
      },

      /* Where there is no room for the name, the mark alone may stand. */
      add(area, { mark = "", name = "" }) {
        put(area, [...(name ? [makeForm(mark, breakName(name))] : []), ...(mark ? [makeForm(mark, [])] : [])], false);
      },

      /* A plate need not fit its place, and goes before every name. */
      addPlate(area, mark) {
        put(area, mark ? [makePlate(mark)] : [], true);
      },

      /* Show a name where it fits: roughly within its area, and clear of the names before it (that of `top`, then those
         that go first, then large areas first). Where it does not, the area's mark alone may. */
      place(top) {
        const scale = map.getZoomScale(map.getZoom(), 0);
        const across = (extent) => (extent.getEast() - extent.getWest()) * scale * (256 / 360);
        const order = [...labels].sort(([a, one], [b, other]) =>
          (b === top) - (a === top) || other.first - one.first || across(other.extent) - across(one.extent));
        const taken = [];
        for (const [area, { marker, forms, extent, first }] of order) {
          const at = map.latLngToLayerPoint(marker.getLatLng());
          const box = ({ width, height, above }) => {
            const middle = above ? at.subtract([0, height / 2 + 2]) : at;
            return L.bounds(middle.subtract([width / 2 + 3, height / 2]), middle.add([width / 2 + 3, height / 2]));
          };
          const form = forms.find((one) => (first || area === top || one.width < across(extent))
            && !taken.some((other) => other.overlaps(box(one))));
          if (form) {
            taken.push(box(form));
            if (marker.options.icon !== form.icon) marker.setIcon(form.icon);
            marker.addTo(map);
          } else marker.remove();
        }
      },
    };
  }

  /* One picture between two corners, changed in place. */
  function makePicture(map) {
    let shown = null;
    return {
      /* `url` null: no picture. `bounds` are [[south, west], [north, east]] in degrees. */
      show(url, bounds, opacity) {
        if (url === null) {
          shown?.remove();
          shown = null;
          return;
        }
        if (!shown) shown = L.imageOverlay(url, bounds, { pane: "picture", className: "cspmap-picture", alt: "" }).addTo(map);
        else if (shown._url !== url) shown.setUrl(url);
        shown.setBounds(bounds);
        shown.setOpacity(opacity);
      },
    };
  }

  const STEP = 900; // milliseconds that a month is shown
  const PLAY = "M4 2.5v11l9-5.5z";
  const PAUSE = "M4 2.5h3v11H4zM9 2.5h3v11H9z";

  /* Play, pause, and a slider over steps that have names. `onStep(number)` is called with every step to be shown. */
  function makePlayer(onStep) {
    let names = [];
    let at = 0;
    let timer = null;
    const path = svg("path", { fill: "currentColor" });
    const button = make("button", "");
    button.type = "button";
    button.append(svg("svg", { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" }, path));
    const slider = make("input", "");
    slider.type = "range";
    slider.min = 0;
    slider.setAttribute("aria-label", "Month shown");
    const name = make("div", "cspmap-player-name");
    const bar = make("div", "cspmap-player-bar");
    bar.append(button, slider);
    const element = make("div", "cspmap-player");
    element.hidden = true;
    element.append(name, bar);

    function go(number) {
      at = number;
      slider.value = number;
      name.textContent = names[number];
      slider.setAttribute("aria-valuetext", names[number]);
      onStep(number);
    }

    function run(playing) {
      clearInterval(timer);
      timer = playing ? setInterval(() => (at + 1 < names.length ? go(at + 1) : run(false)), STEP) : null;
      path.setAttribute("d", playing ? PAUSE : PLAY);
      button.title = playing ? "Pause" : "Play";
      button.setAttribute("aria-label", button.title);
    }

    button.addEventListener("click", () => {
      const playing = timer === null;
      if (playing && at + 1 >= names.length) go(0);
      run(playing);
    });
    slider.addEventListener("input", () => { run(false); go(Number(slider.value)); });
    for (const kind of ["keydown", "pointerdown", "touchstart"]) {
      element.addEventListener(kind, (event) => event.stopPropagation());
    }
    L.DomEvent.disableClickPropagation(element);
    L.DomEvent.disableScrollPropagation(element);
    run(false);

    return {
      element,
      /* The steps by name, none where there is nothing to play. Steps of the same names go on where they are. */
      load(next) {
        const same = next.length === names.length && next.every((one, number) => one === names[number]);
        names = next;
        element.hidden = !names.length;
        slider.max = Math.max(0, names.length - 1);
        if (!same) run(false);
        if (names.length) go(same ? at : names.length - 1);
      },
      get at() { return names.length ? at : null; },
      get name() { return names[at]; },
    };
  }

  window.cspmapParts = { make, svg, definePatterns, makeGrid, makeLabeller, makePicture, makePlayer };
})();
