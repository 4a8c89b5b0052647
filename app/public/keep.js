// Has the service worker keep what is read, for when there is no connection: `app/src/server/offline/worker.js`. `reading.js` loads this once the page
// is there.
const doc = document;
const root = doc.documentElement;
/** Most that is kept of one conversation, in characters: its end. */
const LONGEST = 300_000;

const texts = (place, selector) => [...place.querySelectorAll(selector)].map((part) => part.textContent.trim()).filter(Boolean);

/** An answer without what does something or comes from the server. */
function still(answer) {
  const copy = answer.cloneNode(true);
  for (const part of copy.querySelectorAll("[data-note], [data-note-back]")) part.replaceWith(part.textContent);
  for (const part of copy.querySelectorAll("img")) part.replaceWith(part.alt);
  for (const part of copy.querySelectorAll("button, input, textarea, select, form, script, style, iframe")) part.remove();
  return copy.innerHTML;
}

/** What is read at the moment: the messages that the server has, and their answers. */
function read() {
  const log = doc.getElementById("log");
  const named = doc.querySelector("#composer [name=conversation]");
  if (!log || !named) return undefined;
  const turns = [];
  let [room, cut] = [LONGEST, Boolean(log.querySelector(".rest"))];
  for (const turn of [...log.querySelectorAll(".turn:not([data-sent=false])")].reverse()) {
    const answer = turn.querySelector(".answer");
    const kept = {
      asked: texts(turn, ".message-text").join("\n"),
      files: texts(turn, ".message .chip-name"),
      answer: answer ? still(answer) : "",
      ended: texts(turn, ".ended, .fault > p").join(" "),
      open: /waiting|running/.test(turn.dataset.state),
    };
    room -= kept.asked.length + kept.answer.length;
    if (room < 0 && turns.length) {
      cut = true;
      break;
    }
    turns.unshift(kept);
  }
  if (!turns.length) return undefined;
  return { id: named.value, title: texts(log, "h1")[0] ?? "", at: Date.now(), cut, turns };
}

async function begin() {
  const workers = navigator.serviceWorker;
  await workers.register("/worker.js");
  const registration = await workers.ready;
  const tell = (what) => registration.active?.postMessage({ reader: root.dataset.reader, language: root.lang, ...what });
  const listed = () => [...doc.querySelectorAll(".conversation")].map((link) => link.pathname?.split("/")[2]).filter(Boolean);
  const hello = () => tell({ hello: true, read: read(), listed: listed() });
  const leave = () => tell({ read: read(), listed: listed() });

  hello();
  // Another build has taken over, and has kept nothing of the one before.
  workers.addEventListener("controllerchange", hello);
  addEventListener("pagehide", leave);
  doc.addEventListener("visibilitychange", () => {
    if (doc.hidden) leave();
  });
  // Another conversation takes the place of this one without another page.
  const moves = (event) => {
    if (event.target.closest?.("a[href]")) leave();
  };
  doc.addEventListener("click", moves, true);
  const ends = (event) => {
    if (event.target.getAttribute("action") === "/api/forget") tell({ forgets: true });
  };
  doc.addEventListener("submit", ends, true);

  const watch = (selector, look) => {
    const place = doc.querySelector(selector);
    if (place) new MutationObserver(look).observe(place, { childList: true, subtree: true });
  };
  // Since when there is no connection, as the page itself tells it.
  let lost = false;
  watch(".notices", () => {
    const was = lost;
    lost = Boolean(doc.querySelector(".notices [data-testid=offline]"));
    if (lost !== was) tell({ lost: lost ? Date.now() : 0, read: read() });
  });
  // What goes from the list may have been deleted, and is not to be kept then.
  let ids = listed();
  watch(".sidebar", () => {
    const before = ids;
    ids = listed();
    if (before.some((id) => !ids.includes(id))) tell({ listed: ids });
  });
}

// A browser that takes no worker does without.
begin().catch(() => {});
