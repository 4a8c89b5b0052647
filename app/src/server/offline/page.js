// The page that stands in for the others while there is no connection: what was read here last, and what was not sent. It looks by itself
// whether there is a connection again, and makes way then, unless somebody is reading further down.
(function () {
  "use strict";
  const doc = document;
  const root = doc.documentElement;
  const byId = (id) => doc.getElementById(id);
  /** Between two looks, in milliseconds. */
  const EVERY = 5000;

  const kept = (key) => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  };
  const theme = kept("theme");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;

  const told = JSON.parse(byId("told").textContent);

  /** Says when something was, in the reader's own time: of another day, on which. */
  const when = (time, at) => {
    const then = new Date(at);
    const today = then.toDateString() === new Date().toDateString();
    time.dateTime = then.toISOString();
    const day = today ? {} : { dateStyle: "medium" };
    time.textContent = then.toLocaleString(root.lang, { ...day, timeStyle: "short", hourCycle: "h23" });
  };
  const made = (id) => doc.importNode(byId(id).content.firstElementChild, true);
  const addFiles = (list, names) => {
    for (const name of names) {
      const file = made("file");
      file.firstElementChild.textContent = name;
      list.append(file);
    }
  };
  when(byId("since").querySelector("time"), told.since);

  // The messages that the page has put away until the server has them: `app/src/writing/outbox.rs`.
  const unsent = [];
  try {
    for (const key of Object.keys(localStorage).filter((key) => key.startsWith("outbox/"))) {
      const { text, files = [], at, refused } = JSON.parse(kept(key));
      unsent.push({ text, files: files.map(({ name }) => name), at, refused });
    }
  } catch {
    // What cannot be read is left to the page.
  }
  unsent.sort((one, other) => one.at - other.at);
  for (const { text, files, refused } of unsent) {
    const message = made("message");
    const [said, list, why] = message.children;
    said.textContent = text;
    addFiles(list, files);
    if (refused) {
      why.textContent = refused;
      why.hidden = false;
    }
    byId("unsent").querySelector("ul").append(message);
  }
  byId("unsent").hidden = unsent.length === 0;

  const { read } = told;
  if (read) {
    const place = byId("read");
    place.querySelector("h2").textContent = read.title;
    when(place.querySelector("time"), read.at);
    byId("cut").hidden = !read.cut;
    for (const { asked, files, answer, ended, open } of read.turns) {
      const turn = made("turn");
      turn.dataset.state = open ? "running" : "done";
      turn.querySelector(".message-text").textContent = asked;
      addFiles(turn.querySelector(".chips"), files);
      // The server's own HTML; no script runs here but this one.
      turn.querySelector(".answer").innerHTML = answer;
      const end = turn.querySelector(".ended");
      end.hidden = !open && !ended;
      if (!open) end.textContent = ended;
      place.append(turn);
    }
    place.hidden = false;
  }
  byId("missing").hidden = !told.missing;
  for (const { id, title, at } of told.others) {
    const line = doc.createElement("li");
    const link = doc.createElement("a");
    const time = doc.createElement("time");
    link.href = `/c/${id}`;
    link.textContent = title;
    link.dir = "auto";
    time.className = "quiet";
    when(time, at);
    line.append(link, " ", time);
    byId("others").querySelector("ul").append(line);
  }
  byId("others").hidden = told.others.length === 0;

  const look = async () => {
    if (doc.hidden) return;
    const answer = await fetch("/health", { cache: "no-store" }).catch(() => null);
    const back = answer !== null && answer.ok;
    const reads = scrollY > innerHeight / 4 || !getSelection().isCollapsed;
    if (back && !reads) location.reload();
    byId("looking").hidden = back;
    byId("back").hidden = !back;
    root.classList.toggle("back", back);
  };
  setInterval(look, EVERY);
  addEventListener("online", look);
  doc.addEventListener("visibilitychange", look);
})();
