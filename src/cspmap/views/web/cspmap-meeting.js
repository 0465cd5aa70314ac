// The meeting: one screen a subject, switched here, so that keys are instant and nothing moves under the discussion.
//
// The whole of it comes at once (views/meeting_payload.py). What is typed in goes to the server, which answers with
// the same screens and what has been said by now. All texts go in as text; pictures are SVG made by the server.

const NAMESPACE = "http://www.w3.org/2000/svg";
const STAGE = { width: 1920, height: 1020 }, NARROW = 700, PLAY_SECONDS = 20, BAR_SECONDS = 5, DIGIT_SECONDS = 0.9, SHORT = 18;
const RATING_WORDS = { R: "red", A: "amber", G: "green" };
const STATUSES = [["open", "Open"], ["done", "Done"], ["dropped", "Dropped"]];
const HELP = [
  ["→ or Page down", "next screen"], ["← or Page up", "the one before"], ["A number", "jumps to that screen"],
  ["Home, End", "first and last"], ["T", "the table behind the picture, and back"], ["A", "actions and decisions"],
  ["I", "about these figures"], ["Space", "moves on by itself, or stops"], ["B", "presenter's bar"],
  ["D", "dark or light"], ["F", "full screen"], ["Esc", "closes what is open"],
];
const DRAFT = "cspmap-meeting-draft", EMPTY = { kind: "action", text: "", owner: "", due: "" };
const meetings = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  let meeting = meetings.get(parentElement);
  if (!meeting) meetings.set(parentElement, meeting = new Meeting(parentElement));
  meeting.take(data, setTriggerValue);
  return () => meeting.leave();
}

/** An element with attributes and children; texts become text and nothing else. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

/** A picture that the server drew; nothing where it is no SVG. */
function readPicture(text) {
  const root = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  return root.namespaceURI === NAMESPACE && root.localName === "svg" ? document.importNode(root, true) : "";
}

function makeIdentifier() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** What was typed in about a subject and not kept yet, in this tab, whatever is opened in between. */
const drafts = {
  place: (subject) => `${DRAFT} ${location.pathname} ${subject}`,
  read(subject) {
    try { return { ...EMPTY, ...JSON.parse(sessionStorage.getItem(this.place(subject))) }; } catch { return { ...EMPTY }; }
  },
  write(subject, draft) {
    // A browser that keeps nothing has it in the form alone.
    try {
      if (draft === null) sessionStorage.removeItem(this.place(subject));
      else sessionStorage.setItem(this.place(subject), JSON.stringify(draft));
    } catch { return; }
  },
};

class Meeting {
  constructor(parent) {
    this.place = 0; this.table = 0; this.panel = null; this.playing = null; this.digits = ""; this.pending = null;
    this.who = ""; this.removing = null; this.held = new Map();
    this.root = make("section", { class: "meeting", "aria-label": "Meeting" });
    this.screen = make("div", { class: "screen", tabindex: "-1" });
    this.status = make("p", { class: "unseen", role: "status", "aria-live": "polite" });
    this.told = make("p", { class: "told", role: "alert", hidden: true });
    this.foot = make("footer", { class: "foot" });
    this.bar = this.makeBar();
    this.root.append(this.screen, this.told, make("div", { class: "strip" }, this.foot, this.bar), this.status);
    parent.appendChild(this.root);
    this.listeners = [
      [document, "keydown", (event) => this.press(event)],
      [window, "resize", () => this.measure()],
      [window, "popstate", () => this.follow()],
      [document, "fullscreenchange", () => this.measure()],
      [this.root, "pointermove", () => this.showBar()],
      [this.root, "focusin", (event) => this.bar.contains(event.target) && this.showBar()],
    ];
  }

  take(data, send) {
    const first = this.data === undefined, fresh = !first && data.token !== this.data.token;
    const key = first ? null : this.data.screens[this.place].key;
    this.data = data;
    this.send = send;
    this.leave();
    for (const [target, name, listener] of this.listeners) target.addEventListener(name, listener);
    if (first) this.start();
    else this.place = Math.max(0, data.screens.findIndex((screen) => screen.key === key));
    if (fresh) this.tell(`New figures, as at ${data.asAt}.`);
    if (data.told && first) this.tell(data.told);
    this.hear(data.answer);
    this.root.classList.toggle("dark", data.dark);
    this.listScreens();
    this.measure();
    this.draw(first || fresh);
    if (this.panel === "said") this.openSaid();
    this.write();
    this.clock ??= setInterval(() => this.tick(), 250);
  }

  leave() {
    for (const [target, name, listener] of this.listeners) target.removeEventListener(name, listener);
    clearInterval(this.clock);
    this.clock = null;
  }

  start() {
    const asked = new URLSearchParams(location.search);
    this.who = this.data.who || drafts.read("").who || "";
    this.find(asked.get("screen"));
    const seconds = Number(asked.get("play"));
    if (seconds >= 3 && seconds <= 600) this.play(seconds);
    this.showBar();
  }

  find(key) {
    this.place = Math.max(0, this.data.screens.findIndex((screen) => screen.key === key));
  }

  // ---- which screen ------------------------------------------------------------------------------------------------

  go(place) {
    const last = this.data.screens.length - 1;
    this.place = Math.min(Math.max(place, 0), last);
    this.table = 0;
    this.close();
    if (this.playing) this.playing.left = this.playing.seconds;
    this.draw(true);
    this.write();
  }

  /** The address tells all that is asked, the screen and the moment of the figures, so that a link opens just this. */
  write() {
    const asked = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(this.data.asked)) asked.set(name, value);
    asked.set("screen", this.data.screens[this.place].key);
    asked.set("frozen", this.data.token);
    if (this.data.dark) asked.set("dark", "1"); else asked.delete("dark");
    const address = `${location.pathname}?${asked.toString().replaceAll("%3A", ":").replaceAll("%2C", ",")}`;
    if (address !== location.pathname + location.search) history.replaceState(history.state, "", address);
  }

  follow() {
    this.find(new URLSearchParams(location.search).get("screen"));
    this.draw(true);
  }

  press(event) {
    const target = event.composedPath()[0], tag = target?.tagName;
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Escape") { this.close(); return; }
    if (["INPUT", "TEXTAREA", "SELECT"].includes(tag) || target?.isContentEditable) return;
    if (event.key === " " && ["BUTTON", "A", "SUMMARY"].includes(tag)) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const act = {
      ArrowRight: () => this.go(this.place + 1), PageDown: () => this.go(this.place + 1),
      ArrowLeft: () => this.go(this.place - 1), PageUp: () => this.go(this.place - 1),
      Home: () => this.go(0), End: () => this.go(this.data.screens.length - 1),
      " ": () => this.playing ? this.stop() : this.play(PLAY_SECONDS),
      t: () => this.turn(), a: () => this.toggle("said"), i: () => this.toggle("about"), "?": () => this.toggle("help"),
      b: () => this.toggleBar(), d: () => this.changeLight(), f: () => this.fill(),
    }[key] ?? (/^[0-9]$/.test(key) ? () => this.dial(key) : null);
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  /** Digits that follow each other closely are one number. */
  dial(digit) {
    this.digits = (this.digits + digit).slice(-2);
    clearTimeout(this.dialling);
    const number = Number(this.digits), last = this.data.screens.length;
    const jump = () => {
      this.digits = "";
      if (number >= 1 && number <= last) this.go(number - 1);
      else this.tell(`There is no screen ${number}; there are ${last}.`);
    };
    // No second digit can make it another screen's number.
    if (number * 10 > last || this.digits.length === 2) jump();
    else { this.dialling = setTimeout(jump, DIGIT_SECONDS * 1000); this.drawFoot(); }
  }

  play(seconds) {
    this.playing = { seconds, left: seconds, at: performance.now() };
    this.say(`Moves on every ${seconds} seconds; space stops it.`);
    this.drawFoot();
  }

  stop() {
    this.playing = null;
    this.say("Stopped.");
    this.drawFoot();
  }

  tick() {
    const now = performance.now();
    if (this.playing) {
      // While something is open nobody wants to be taken elsewhere.
      if (!this.panel) this.playing.left -= (now - this.playing.at) / 1000;
      this.playing.at = now;
      if (this.playing.left <= 0) {
        this.playing.left = this.playing.seconds;
        this.go((this.place + 1) % this.data.screens.length);
      }
      this.drawFoot();
    }
    const held = this.bar.contains(this.bar.getRootNode().activeElement) || this.bar.matches(":hover");
    if (this.barUntil !== undefined && now > this.barUntil && !held) this.hideBar();
  }

  // ---- the screen --------------------------------------------------------------------------------------------------

  measure() {
    // Below the framework's own bar; whole where the browser shows nothing else.
    const filled = Boolean(document.fullscreenElement);
    const bar = filled ? null : document.querySelector("[data-testid=stHeader]");
    const top = bar ? Math.max(0, Math.round(bar.getBoundingClientRect().bottom)) : 0;
    this.root.style.setProperty("--top", `${top}px`);
    const width = window.innerWidth, height = window.innerHeight - top;
    this.root.classList.toggle("narrow", width < NARROW);
    const unit = width < NARROW ? 0.64 : Math.min(width / STAGE.width, height / STAGE.height);
    this.root.style.setProperty("--u", `${unit}px`);
  }

  draw(moved) {
    const screen = this.data.screens[this.place], tables = screen.tables;
    const shown = this.table > 0 ? tables[this.table - 1] : null;
    const right = shown ? [this.drawTable(shown)] : [
      screen.map ? this.drawPicture(screen.map, screen.mapAlt) : null,
      screen.chart ? this.drawPicture(screen.chart, screen.chartAlt) : null,
      screen.main ? this.drawTable(screen.main) : null,
    ];
    const wide = shown !== null || (!screen.map && !screen.chart);
    const left = shown ? null : make("div", { class: "left" }, this.drawFigures(screen), this.drawWords(screen),
      screen.key === "decisions" ? null : this.drawSaid(screen));
    this.screen.replaceChildren(
      make("header", { class: "head" },
        this.data.notice ? make("p", { class: "notice" }, this.data.notice) : null,
        make("div", { class: "line" }, make("h1", {}, screen.title),
          make("p", { class: "as-at" }, `as at ${this.data.asAt}`)),
        make("p", { class: "subtitle" }, screen.subtitle)),
      make("div", { class: wide ? "body wide" : "body" }, left,
        make("div", { class: "right" }, ...right.filter(Boolean))),
    );
    this.root.querySelector("[data-act=table]").disabled = tables.length === 0;
    this.chooser.value = String(this.place);
    this.drawFoot();
    if (moved) this.say(`Screen ${this.place + 1} of ${this.data.screens.length}: ${screen.title}.`);
  }

  drawFigures(screen) {
    return make("ul", { class: "figures" }, ...screen.figures.map(([value, label, note, rating]) =>
      make("li", {},
        make("span", { class: "value" }, value,
          rating ? make("span", { class: `rating ${rating}`, title: RATING_WORDS[rating] }, rating) : null),
        make("span", { class: "label" }, label), note ? make("span", { class: "note" }, note) : null)));
  }

  drawWords(screen) {
    return make("ul", { class: "sentences" }, ...screen.sentences.map((sentence) => make("li", {}, sentence)));
  }

  /** What was said last time, and what is said now: in full where it is typed in. */
  drawSaid(screen) {
    const { last, more, when, today } = screen.said;
    return make("div", { class: "said" },
      make("h2", {}, last.length ? `Last time we said (${when})` : "Last time we said: nothing about this"),
      last.length ? make("ul", {}, ...last.map((entry) => make("li", {}, entry)), more ? make("li", {}, more) : null) : null,
      make("p", {}, this.findDraft(screen.key).text ? "Something is typed in and not kept yet. A opens it." : today));
  }

  drawPicture(text, alt) {
    return make("figure", { class: "picture", role: "img", "aria-label": `${alt} Press T for the table.` },
      readPicture(text) || make("p", {}, alt));
  }

  /** A table in as many columns beside each other as its rows need. */
  drawTable(table) {
    const parts = [];
    for (let start = 0; start < Math.max(1, table.rows.length); start += table.most) {
      parts.push(table.rows.slice(start, start + table.most));
    }
    const side = (place) => table.align[place] === "right" ? "number" : null;
    const head = () => make("thead", {}, make("tr", {}, ...table.columns.map((name, place) =>
      make("th", { scope: "col", class: side(place) }, name))));
    const cell = (text, place) => make(place === 0 ? "th" : "td", {
      class: side(place), scope: place === 0 ? "row" : null,
    }, place === table.rating ? make("span", { class: `rating ${text}` }, text) : make("span", { class: text.length <= SHORT ? "cell short" : "cell" }, text));
    return make("div", { class: "table" }, make("h2", {}, table.title),
      make("div", { class: "parts" }, ...parts.map((rows, number) =>
        make("table", { "aria-label": parts.length > 1 ? `${table.title}, part ${number + 1}` : table.title }, head(),
          make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map(cell))))))),
      table.note ? make("p", { class: "note" }, table.note) : null);
  }

  drawFoot() {
    const moving = this.playing ? `Moves on in ${Math.max(0, Math.ceil(this.playing.left))} s, space stops it` : "";
    const held = this.playing && this.panel ? "Held while this is open" : moving;
    const texts = [this.digits ? `Screen ${this.digits}…` : held || "? for the keys", this.data.title,
      `${this.place + 1} of ${this.data.screens.length}`];
    const spans = texts.map((text) => make("span", {}, text));
    if (this.foot.textContent !== texts.join("")) this.foot.replaceChildren(...spans);
    const button = this.root.querySelector("[data-act=play]");
    button.textContent = this.playing ? "Pause" : "Play";
    button.setAttribute("aria-pressed", String(Boolean(this.playing)));
  }

  /** From the pictures to the tables behind them and back. */
  turn() {
    const tables = this.data.screens[this.place].tables;
    if (tables.length === 0) { this.tell("What is behind this screen is on it already."); return; }
    this.table = (this.table + 1) % (tables.length + 1);
    this.draw(false);
    this.say(this.table ? `Table: ${tables[this.table - 1].title}.` : "Picture.");
  }

  say(words) {
    this.status.textContent = words;
  }

  /** Something to be seen by everybody for a moment. */
  tell(words) {
    this.told.textContent = words;
    this.told.hidden = false;
    clearTimeout(this.telling);
    this.telling = setTimeout(() => { this.told.hidden = true; }, 6000);
  }

  changeLight() {
    const dark = !this.data.dark;
    this.data = { ...this.data, dark };
    this.root.classList.toggle("dark", dark);
    this.write();
    this.send("light", dark ? "dark" : "light");
  }

  fill() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.root.requestFullscreen?.().catch(() => this.tell("This browser does not let the page fill the screen."));
  }

  // ---- the presenter's bar -----------------------------------------------------------------------------------------

  makeBar() {
    const button = (act, label, title, action) => make("button", {
      type: "button", "data-act": act, title, "aria-label": title, onclick: action,
    }, label);
    this.chooser = make("select", {
      "aria-label": "Go to a screen", onchange: (event) => this.go(Number(event.target.value)),
    });
    return make("div", { class: "bar", role: "toolbar", "aria-label": "Presenter's bar" },
      button("back", "‹ Back", "Back one screen", () => this.go(this.place - 1)),
      button("next", "Next ›", "Next screen", () => this.go(this.place + 1)),
      button("home", "Home", "Home, the first screen", () => this.go(0)),
      this.chooser,
      button("table", "Table", "Table behind the picture, and back", () => this.turn()),
      button("said", "Actions", "Actions and decisions", () => this.toggle("said")),
      button("about", "About", "About these figures", () => this.toggle("about")),
      button("play", "Play", "Play or pause moving on by itself", () => this.playing ? this.stop() : this.play(PLAY_SECONDS)),
      button("light", "Light", "Light or dark", () => this.changeLight()),
      button("fill", "Full", "Full screen", () => this.fill()),
      button("fresh", "New figures", "Take new figures", () => this.toggle("fresh")),
      button("help", "?", "Help: the keys", () => this.toggle("help")));
  }

  listScreens() {
    this.chooser.replaceChildren(...this.data.screens.map((screen, place) =>
      make("option", { value: place }, `${place + 1} ${screen.title}`)));
  }

  showBar() {
    this.barUntil = performance.now() + BAR_SECONDS * 1000;
    this.root.classList.add("with-bar");
  }

  hideBar() {
    this.barUntil = undefined;
    this.root.classList.remove("with-bar");
  }

  toggleBar() {
    if (this.root.classList.contains("with-bar")) this.hideBar();
    else this.showBar();
  }

  // ---- what opens over a screen ------------------------------------------------------------------------------------

  toggle(panel) {
    if (this.panel === panel) { this.close(); return; }
    ({ said: () => this.openSaid(), about: () => this.openAbout(), help: () => this.openHelp(),
      fresh: () => this.openFresh() })[panel]();
  }

  open(name, title, ...children) {
    const again = this.panel === name;
    const focus = again ? this.dialog?.getRootNode().activeElement?.name : null;
    this.shut();
    this.panel = name;
    this.dialog = make("div", { class: `panel ${name}`, role: "dialog", "aria-label": title, tabindex: "-1" },
      make("div", { class: "line" }, make("h2", {}, title),
        make("button", { type: "button", class: "close", onclick: () => this.close() }, "Close")),
      ...children);
    this.root.append(this.dialog);
    const first = this.dialog.querySelector(focus ? `[name="${focus}"]` : "[data-first]");
    (first ?? this.dialog).focus({ preventScroll: true });
  }

  close() {
    const said = this.panel === "said";
    this.removing = null;
    this.shut();
    // Whether anything is typed in and not kept is told there.
    if (said) this.draw(false);
  }

  shut() {
    const held = this.dialog?.contains(this.dialog.getRootNode().activeElement);
    this.dialog?.remove();
    this.dialog = null;
    this.panel = null;
    // Whoever was in it is on the screen again, and not nowhere.
    if (held) this.screen.focus({ preventScroll: true });
  }

  openHelp() {
    this.open("help", "Keys", make("dl", {}, ...HELP.flatMap(([key, what]) =>
      [make("dt", {}, key), make("dd", {}, what)])));
  }

  openAbout() {
    const screen = this.data.screens[this.place];
    this.open("about", "About these figures",
      make("ul", {}, ...[...screen.rest, ...screen.caveats].map((sentence) => make("li", {}, sentence))),
      make("p", {}, this.data.licences));
  }

  openFresh() {
    this.open("fresh", "Take new figures?",
      make("p", {}, `These are as at ${this.data.asAt} and stay so. New ones may differ from what was just discussed.`),
      make("button", { type: "button", "data-first": true, onclick: () => { this.close(); this.send("fresh", makeIdentifier()); } },
        "Take new figures"));
  }

  /** What is being typed in about a subject; it stays with the tab until it is kept. */
  findDraft(subject) {
    if (!this.held.has(subject)) this.held.set(subject, drafts.read(subject));
    return this.held.get(subject);
  }

  openSaid() {
    const screen = this.data.screens[this.place], draft = this.findDraft(screen.key);
    // One identifier for as often as it is sent, so that it is kept once.
    const number = draft.id ??= makeIdentifier();
    const keep = (event) => { draft[event.target.name] = event.target.value; drafts.write(screen.key, draft); };
    const field = (name, label, extra = {}) => make("label", {}, label,
      make("input", { name, value: draft[name], maxlength: 200, oninput: keep, ...extra }));
    const kind = make("select", { name: "kind", onchange: keep }, make("option", { value: "action" }, "Action"),
      make("option", { value: "decision" }, "Decision"));
    kind.value = draft.kind;
    const text = make("textarea", { name: "text", rows: 2, maxlength: 4000, required: true, "data-first": true, oninput: keep });
    text.value = draft.text;
    const entries = [...screen.said.entries];
    this.open("said", `Actions and decisions: ${screen.title}`,
      make("ul", { class: "entries" }, ...entries.map((entry) => this.drawEntry(entry)),
        ...screen.said.removed.map((told) => make("li", { class: "removed" }, told))),
      make("form", { onsubmit: (event) => { event.preventDefault(); this.save({ ...draft, id: number, version: 0, status: "open",
        subject: screen.key, about: screen.title, who: this.who }); } },
      make("label", { class: "long" }, "What was agreed", text), make("label", {}, "Kind", kind),
      field("owner", "Who does it"), field("due", "By when", { type: "date" }),
      field("who", "Your name", { required: true, value: this.who,
        oninput: (event) => { this.who = event.target.value; drafts.write("", { who: this.who }); } }),
      make("button", { type: "submit" }, "Keep it")));
  }

  drawEntry(entry) {
    const status = make("select", { name: `status-${entry.id}`, "aria-label": `Status of ${entry.text}`,
      onchange: (event) => this.save({ ...entry.own, status: event.target.value, who: this.who }) },
    ...STATUSES.map(([value, label]) => make("option", { value }, label)));
    status.value = entry.own.status;
    const sure = this.removing === entry.id;
    const remove = make("button", { type: "button", name: `remove-${entry.id}`, onclick: () => this.remove(entry),
      "aria-label": sure ? `Yes, remove ${entry.text}` : `Remove ${entry.text}` }, sure ? "Yes, remove it" : "Remove");
    return make("li", {}, make("span", {}, entry.text), entry.own.kind === "action" ? status : null, remove);
  }

  /** Asks once more first; the record keeps it as removed, with who did it and when. */
  remove(entry) {
    if (this.removing === entry.id) {
      this.removing = null;
      this.save({ ...entry.own, who: this.who, remove: true });
      return;
    }
    this.removing = entry.id;
    this.openSaid();
    this.tell("Entered by mistake? Press again to remove it. The record keeps what it was, and who removed it when.");
  }

  save(entry) {
    if (!entry.who.trim()) {
      this.tell("Type in your name first: it is kept with every change.");
      this.openSaid();
      return;
    }
    this.pending = { id: entry.id, subject: entry.subject, number: makeIdentifier() };
    this.send("entry", { ...entry, due: entry.due || null, number: this.pending.number });
  }

  /** What the server says to what was typed in: until it is kept, it stays in the form. */
  hear(answer) {
    if (!answer || !this.pending || answer.number !== this.pending.number) return;
    this.tell(answer.words);
    const { id, subject } = this.pending, draft = this.findDraft(subject);
    if (answer.kept && id === draft.id) {
      this.held.set(subject, { ...EMPTY, kind: draft.kind });
      drafts.write(subject, null);
    }
    this.pending = null;
  }
}
