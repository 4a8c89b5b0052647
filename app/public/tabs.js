// The stats and the logs tab, which the server draws: `reading.js` loads this with the first of them. Each drawing is put over the one before,
// so that whatever has not changed keeps its nodes, and with them the focus, what is selected, unfolded and scrolled to.
const doc = document;
/** Between two looks at the charts, in milliseconds. */
const EVERY = 5000;

/** What keeps its nodes wherever it stands among its neighbours. */
const keyOf = (node) => (node.nodeType === 1 && node.dataset.key ? node.nodeName + " " + node.dataset.key : "");
const alike = (one, other) => one.nodeName === other.nodeName && keyOf(one) === keyOf(other);

/** Gives `node` the attributes of `drawn`. What a reader has unfolded stays so. */
function dress(node, drawn) {
  for (const { name } of [...node.attributes]) {
    if (name !== "open" && !drawn.hasAttribute(name)) node.removeAttribute(name);
  }
  for (const { name, value } of drawn.attributes) {
    if (node.getAttribute(name) !== value) node.setAttribute(name, value);
  }
}

/** Makes what stands in `place` as it stands in `drawn`. */
export function fill(place, drawn) {
  const keys = new Set([...drawn.childNodes].map(keyOf));
  const known = new Map();
  for (const child of [...place.children]) {
    const key = keyOf(child);
    if (key && !keys.has(key)) child.remove();
    else if (key) known.set(key, child);
  }
  let at = place.firstChild;
  for (const next of [...drawn.childNodes]) {
    const same = known.get(keyOf(next)) || (at && alike(at, next) ? at : null);
    if (!same) place.insertBefore(next, at);
    else {
      if (same === at) at = at.nextSibling;
      else place.insertBefore(same, at);
      if (same.nodeType !== 1) {
        if (same.data !== next.data) same.data = next.data;
      } else if (!("own" in same.dataset)) {
        dress(same, next);
        fill(same, next);
      }
    }
  }
  while (at) {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  }
}

/** A time of day as the reader's clock shows it, `14:03:27`. */
const clock = (at) => [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");

/** What the server cannot know: when things were by the reader's clock. */
function complete(drawn) {
  for (const time of drawn.querySelectorAll("time[data-at]")) {
    const at = new Date(Number(time.dataset.at));
    time.dateTime = at.toISOString();
    time.textContent = clock(at);
  }
  for (const id of drawn.querySelectorAll(".id")) id.title = id.textContent;
}

/** Leaves those records that are asked for: what stands in the filters of `place`, or before the first drawing in those of `drawn`. */
function filter(place, drawn) {
  const asked = place.querySelector(".filters") || drawn.querySelector(".filters");
  if (!asked) return;
  const levels = asked.querySelector("[data-least]");
  const text = asked.querySelector("[data-text]").value.trim().toLowerCase();
  const level = (record) => [...levels.options].findIndex((option) => option.value === record.dataset.level);
  const says = (part) => part.textContent.toLowerCase().includes(text);
  for (const record of drawn.querySelectorAll(".record")) {
    const wanted = level(record) >= levels.selectedIndex && (!text || [...record.querySelector(".record-text").children].some(says));
    if (!wanted) record.remove();
  }
  for (const none of drawn.querySelectorAll("[data-none]")) {
    if (none.parentElement.querySelector(".record")) none.remove();
  }
}

/** The end of the records in sight, where that is asked for. */
function follow(place) {
  const box = place.querySelector("[data-follow]");
  const records = place.querySelector("[data-follows]");
  if (box && box.checked) records.scrollTop = records.scrollHeight;
}

/** Says the value at which a chart's slider stands, after it was put below the pointer, if there is one. */
function show(slider, pointer) {
  const values = slider.dataset.values.split("|");
  if (pointer !== undefined) {
    const frame = slider.getBoundingClientRect();
    const at = Math.round(((pointer - frame.left) / Math.max(frame.width, 1)) * values.length - 0.5);
    slider.value = String(Math.min(Math.max(at, 0), values.length - 1));
  }
  const at = Number(slider.value);
  const chart = slider.closest(".chart");
  slider.setAttribute("aria-valuetext", values[at]);
  chart.querySelector(".chart-value").textContent = values[at];
  chart.querySelector(".chart-cursor").style.left = ((at + 0.5) / values.length) * 100 + "%";
}

export function start({ within, ask, failed }) {
  // The charts of the span that is chosen. What somebody points at stays as it is.
  const charts = () => doc.querySelector(".drawn .charts");
  const chosen = () => doc.querySelector(".drawn .span[aria-pressed=true]").dataset.span;
  const pointedAt = (place) => place.matches(":hover, :focus-within");
  const look = async (anyway) => {
    const place = charts();
    if (!place || doc.visibilityState !== "visible" || (!anyway && pointedAt(place))) return;
    const span = chosen();
    let answer, told;
    try {
      answer = await ask("/api/charts", "span=" + span + "&offset=" + -new Date().getTimezoneOffset());
      told = await answer.json();
    } catch {
      // That there is no connection is told at the top of the page.
      if (anyway === "chosen") failed();
      return;
    }
    // Another span may have been chosen, or another page; or somebody has come to a chart since this was asked for.
    if (place !== charts() || span !== chosen() || (!anyway && pointedAt(place))) return;
    if (answer.ok) place.innerHTML = told;
    place.previousElementSibling.textContent = answer.ok ? "" : told.message;
  };
  setInterval(look, EVERY);

  const heard = new WeakSet();
  const listen = (place) => {
    if (heard.has(place)) return;
    heard.add(place);
    const sliders = (then) => (event) => {
      if (within(event.target, ".chart-slider")) then(event);
    };
    place.addEventListener("mousemove", sliders((event) => show(event.target, event.clientX)));
    place.addEventListener("input", (event) => {
      if (within(event.target, ".chart-slider")) show(event.target);
      else if (within(event.target, "[data-follow]")) follow(place);
      else if (within(event.target, ".filters")) put(place);
    });
    place.addEventListener("click", (event) => {
      const span = within(event.target, ".span");
      if (!span) return;
      for (const one of span.parentElement.children) one.setAttribute("aria-pressed", String(one === span));
      look("chosen");
    });
    place.addEventListener("submit", (event) => event.preventDefault());
    place.addEventListener("toggle", () => follow(place), true);
    // Reading further up is not following.
    const scrolled = (event) => {
      const records = event.target;
      if (!within(records, "[data-follows]")) return;
      place.querySelector("[data-follow]").checked = records.scrollHeight - records.scrollTop - records.clientHeight < 24;
    };
    place.addEventListener("scroll", scrolled, true);
  };

  // What is drawn needs a style sheet of its own, which is there before it is shown.
  const sheets = new Map();
  const styled = (drawn) => {
    const link = drawn.querySelector("link");
    const address = link.getAttribute("href");
    link.remove();
    if (!sheets.has(address)) {
      const there = new Promise((done) => {
        link.onload = link.onerror = done;
      });
      sheets.set(address, there);
      doc.head.append(link);
    }
    return sheets.get(address);
  };
  const parsed = (place) => {
    const drawn = doc.createElement("template");
    drawn.innerHTML = place.drawn;
    return drawn.content;
  };
  const put = (place) => {
    const drawn = parsed(place);
    const link = drawn.querySelector("link");
    if (link) link.remove();
    complete(drawn);
    filter(place, drawn);
    fill(place, drawn);
    listen(place);
    follow(place);
    const empty = charts();
    if (empty && !empty.firstChild) look("first");
  };
  const draw = async (place) => {
    if (!place.drawn) return;
    await styled(parsed(place));
    if (place.isConnected) put(place);
  };
  return { draw };
}
