// The service worker. Pages come from the network, always: it only notes whose they are. Where there is no connection, a page of its own stands in
// for them, with what was read here last. That page is in this script, of which the server puts the beginning before it:
//
//   BUILD: of which build it is; SHELLS: the page in each language; STYLE: its style sheet; PAGES: the addresses of pages.
//
// What is kept: in the cache READ, what was read, by the address of its conversation, until another build comes; in the cache READER, for whom, and
// since when there is no connection.
"use strict";

const READ = "anteroom-read-" + BUILD;
const READER = "anteroom-reader";
/** Most conversations of which something is kept. */
const MOST = 10;
/** Most readers who are known to have gone. */
const GONE = 50;
const CONVERSATION = /^\/c\/([0-9a-f-]{36})\/?$/;
/** The forms that end a session here: everything deleted, and becoming somebody else by a link. */
const ENDS = ["/api/forget", "/t"];
/** What a proxy says whose server is not there; pages never do. */
const AWAY = [502, 504];

let last = Promise.resolve();
/** One after the other, so that nothing comes back that was forgotten meanwhile. */
const inTurn = (work) => {
  const done = last.then(work);
  last = done.catch(() => {});
  return done;
};

self.addEventListener("install", () => self.skipWaiting());

self.addEventListener("activate", (event) => {
  const begin = async () => {
    const names = await caches.keys();
    const old = names.filter((name) => name.startsWith("anteroom-read-") && name !== READ);
    await Promise.all(old.map((name) => caches.delete(name)));
    await self.clients.claim();
  };
  event.waitUntil(inTurn(begin));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (origin !== location.origin) return;
  if (request.method === "POST" && ENDS.includes(pathname)) event.waitUntil(inTurn(() => forget()));
  const isPage = PAGES.includes(pathname) || CONVERSATION.test(pathname);
  if (request.method === "GET" && request.mode === "navigate" && isPage) event.respondWith(page(request, pathname));
});

self.addEventListener("message", (event) => {
  const { data } = event;
  if (typeof data?.reader !== "string") return;
  event.waitUntil(hear(data));
});

/** What is known of who reads. */
async function known() {
  const there = await (await caches.open(READER)).match("/reader");
  return there ? there.json() : { reader: "", gone: [], lost: 0, language: "" };
}

async function note(now) {
  await (await caches.open(READER)).put("/reader", new Response(JSON.stringify(now)));
}

/** Nothing is kept of whoever has read until now, and nothing of theirs that comes late. */
async function forget(now) {
  await caches.delete(READ);
  now = now ?? (await known());
  if (now.reader) now.gone = [now.reader, ...now.gone].slice(0, GONE);
  now.reader = "";
  await note(now);
}

async function page(request, pathname) {
  let answer;
  try {
    answer = await fetch(request);
    if (AWAY.includes(answer.status)) throw answer.status;
  } catch {
    return inTurn(() => standIn(pathname));
  }
  const [reader, gone] = (answer.headers.get("anteroom-reader") ?? "").split(" ");
  await inTurn(() => met(reader, gone && pathname)).catch(() => {});
  return answer;
}

/** A page has come from the network, for this reader: before it is shown, nothing is left of another one. */
async function met(reader, gone) {
  const now = await known();
  if (gone) await (await caches.open(READ)).delete(gone);
  if (!reader || (now.reader === reader && !now.lost)) return;
  if (now.reader !== reader) await forget(now);
  await note({ ...now, reader, gone: now.gone.filter((one) => one !== reader), lost: 0 });
}

/** What a page tells: that it is there (`hello`), what is read in it, that it has lost the connection, that it forgets everything. */
async function hear({ reader, hello, language, lost, read, listed, forgets }) {
  const kept = await inTurn(async () => {
    let now = await known();
    if (forgets) return forget({ ...now, reader }).then(() => []);
    if (now.gone.includes(reader)) return [];
    if (now.reader !== reader) {
      // Who reads now is said by the network, or by a page that has just come from there past this worker.
      if (!hello) return [];
      if (now.reader) await forget(now);
      now = { ...now, reader };
    }
    if (language) now.language = language;
    if (lost !== undefined) now.lost = lost && (now.lost || lost);
    await note(now);
    if (read) await keep(read);
    return listed ? conversations() : [];
  });
  // What is not in the list any more may have been deleted; the list may also be long.
  for (const { id } of kept.filter(({ id }) => !listed.includes(id))) {
    const answer = await fetch(`/c/${id}`, { method: "HEAD", headers: { accept: "text/html" } }).catch(() => null);
    const [of, gone] = (answer?.headers.get("anteroom-reader") ?? "").split(" ");
    if (of === reader && gone) await inTurn(async () => (await caches.open(READ)).delete(`/c/${id}`));
  }
}

/** Keeps what was read of a conversation, and lets go of what was read longest ago. */
async function keep(read) {
  const address = `/c/${read.id}`;
  if (!CONVERSATION.test(address)) return;
  const cache = await caches.open(READ);
  await cache.put(address, new Response(JSON.stringify(read)));
  for (const { id } of (await conversations()).slice(MOST)) await cache.delete(`/c/${id}`);
}

/** What was read, the last first. */
async function conversations() {
  const cache = await caches.open(READ);
  const answers = await Promise.all((await cache.keys()).map((request) => cache.match(request)));
  const all = await Promise.all(answers.filter(Boolean).map((answer) => answer.json()));
  return all.sort((one, other) => other.at - one.at);
}

/** The page that stands in for the one at an address. */
async function standIn(pathname) {
  const now = await known();
  if (!now.lost) await note({ ...now, lost: Date.now() });
  const since = now.lost || Date.now();
  const all = now.reader ? await conversations() : [];
  const id = CONVERSATION.exec(pathname)?.[1];
  const read = id ? all.find((one) => one.id === id) : all[0];
  const others = all.filter((one) => one !== read).map(({ id, title, at }) => ({ id, title, at }));
  const told = JSON.stringify({ since, read, others, missing: Boolean(id && !read) });
  const languages = [now.language, ...navigator.languages.map((language) => language.split("-")[0]), ...Object.keys(SHELLS)];
  const nonce = crypto.randomUUID();
  // The words of people come last: nothing in them is taken for a place of the page.
  const html = SHELLS[languages.find((language) => Object.hasOwn(SHELLS, language))]
    .replaceAll("NONCE", nonce)
    .replace("/*STYLE*/", () => STYLE)
    .replace("/*TOLD*/", () => told.replaceAll("<", "\\u003c"));
  const policy =
    `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'unsafe-inline'; img-src 'self'; connect-src 'self'; ` +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
  const headers = { "content-type": "text/html; charset=utf-8", "content-security-policy": policy, "cache-control": "no-store" };
  return new Response(html, { status: 503, headers });
}
