// Answers of 5,000 words as they grow, in a real browser on a processor that is four times slower, beside a plain page to which the same words are
// put as text at the same speed: what the main thread does for them.
//
// Usage: node stream.mjs FOLDER_WITH_PLAYWRIGHT URL. Prints one line of JSON. CHROMIUM names the browser.
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [folder, url] = process.argv.slice(2);
const { chromium } = createRequire(resolve(folder, "package.json"))("@playwright/test");
const SLOWER = 4;
const WORDS = 5000;
/** Words a second: faster than most models write, and than anybody reads. */
const RATE = 500;
/** From one look at a growing answer to the next: as often as Anteroom's server tells its pages. */
const STEP_MS = 40;
const PATIENCE_MS = 120_000;

const words = (count, from) => Array.from({ length: count }, (_, at) => `word${from + at}`).join(" ");
const row = (count, from) => `| ${words(count, from).replaceAll(" ", " | ")} |`;
const fence = (lines) => ["```rust", ...lines, "```"].join("\n");
/** So many parts that follow each other, each made of the number of its first word. */
const parts = (count, each, part) => Array.from({ length: count }, (_, at) => part(at * each));

/** All forms that answers have, one after the other. */
function mixed() {
  const section = (at) => {
    const list = parts(4, 12, (item) => `- **${words(1, at + item)}** ${words(11, at + item)}`).join("\n");
    const table = [row(3, at), "| --- | --- | --- |", ...parts(3, 3, (of) => row(3, at + of))].join("\n");
    const code = fence(parts(6, 5, (line) => `let word${at + line} = function(${line}); // ${words(3, at)}`));
    return `## ${words(4, at)}\n\n${words(60, at)}\n\n${list}\n\n${words(36, at)}\n\n${table}\n\n${code}`;
  };
  return parts(25, 200, section).join("\n\n");
}

/** About 5,000 words each, which the model echoes. The code is short enough to be coloured at its end. */
const ANSWERS = [
  ["one paragraph", words(WORDS, 0)],
  ["Markdown", mixed()],
  ["one list", parts(250, 20, (at) => `- ${words(20, at)}`).join("\n")],
  ["one table", [row(5, 0), "| --- | --- | --- | --- | --- |", ...parts(1000, 5, (at) => row(5, at))].join("\n")],
  ["one piece of code", fence(parts(1000, 5, (at) => `let w${at} = "w${at + 1}"; // w${at + 2} w${at + 3}`))],
];

// Runs in each page before anything else.
function watch() {
  window.long = [];
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) window.long.push([startTime, duration]);
  }).observe({ type: "longtask", buffered: true });
}

/** The tasks of the page's main thread in a trace, each with the processor time that it took, in milliseconds. */
function tasksOf(trace) {
  const { traceEvents } = JSON.parse(trace.toString());
  const thread = ({ pid, tid }) => `${pid} ${tid}`;
  const mains = traceEvents.filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain").map(thread);
  const byThread = new Map(mains.map((main) => [main, []]));
  for (const event of traceEvents) {
    if (event.ph === "X" && event.name.endsWith("RunTask")) byThread.get(thread(event))?.push(event);
  }
  const took = (events) => {
    let end = 0;
    const tasks = [];
    for (const { ts, dur = 0, tdur = 0 } of events.sort((one, other) => one.ts - other.ts || other.dur - one.dur)) {
      // One within another is a part of that.
      if (ts < end) continue;
      end = ts + dur;
      tasks.push(tdur / 1000);
    }
    return tasks;
  };
  const sum = (tasks) => tasks.reduce((sum, task) => sum + task, 0);
  // The browser has other pages ready, in which nothing happens.
  const all = [...byThread.values()].map(took).sort((one, other) => sum(other) - sum(one));
  if (!all.length || !all[0].length) throw new Error("the trace has no tasks");
  return all[0];
}

/** What the main thread does until `ends` resolves: of the processor, and what of it would be felt, by the clock on the wall. */
async function work(page, ends) {
  const from = await page.evaluate(() => performance.now());
  await page.context().browser().startTracing(page, { categories: ["toplevel"] });
  await ends();
  const felt = await page.evaluate(async (from) => {
    // Its last task is told after the next frame.
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 100)));
    return window.long.filter(([at]) => at >= from).map(([, duration]) => duration);
  }, from);
  const tasks = tasksOf(await page.context().browser().stopTracing());
  return {
    long: tasks.filter((task) => task >= 50).length,
    longest_ms: Math.max(...tasks),
    busy_ms: tasks.reduce((sum, task) => sum + task, 0),
    felt: felt.length,
    felt_longest_ms: Math.max(0, ...felt),
  };
}

async function slow(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("Emulation.setCPUThrottlingRate", { rate: SLOWER });
}

async function plain(context) {
  const page = await context.newPage();
  await page.setContent('<body style="margin: 0; font: 16px/1.6 sans-serif"><div id="log" style="height: 100vh; overflow: auto"><p id="p" style="width: 736px"></p></div>');
  await page.evaluate(watch);
  await slow(page);
  const done = await work(page, () =>
    page.evaluate(
      ([words, rate, step]) =>
        new Promise((resolve) => {
          const [began, text] = [performance.now(), document.querySelector("#p").appendChild(new Text())];
          let put = 0;
          const more = () => {
            const due = Math.min(words, Math.floor(((performance.now() - began) * rate) / 1000));
            let piece = "";
            for (; put < due; put++) piece += `word${put} `;
            text.appendData(piece);
            const log = document.querySelector("#log");
            log.scrollTop = log.scrollHeight;
            if (put === words) requestAnimationFrame(() => setTimeout(resolve));
            else setTimeout(more, step);
          };
          more();
        }),
      [WORDS, RATE, STEP_MS],
    ),
  );
  await page.close();
  return done;
}

async function answer(context, text) {
  const page = await context.newPage();
  await page.addInitScript(watch);
  await page.goto(url);
  await page.locator("html[data-awake]").waitFor({ state: "attached" });
  await page.locator("#message").evaluate((field, text) => {
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }, `[[reply=echo rate=${RATE} first_token=4s]]${text}`);
  await page.locator("#message").press("Enter");
  await page.locator('.turn[data-state="running"]').waitFor();
  // What sending takes is over.
  await page.waitForTimeout(1500);
  await slow(page);
  const over = () => document.querySelector('.turn:not([data-state="running"])');
  const done = await work(page, () => page.waitForFunction(over, undefined, { polling: 500, timeout: PATIENCE_MS }));
  const state = await page.locator(".turn").last().getAttribute("data-state");
  if (state !== "done") throw new Error(`the answer is ${state}`);
  await page.close();
  return done;
}

const args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args });
try {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, serviceWorkers: "block" });
  const plainly = await plain(context);
  const answers = [];
  for (const [form, text] of ANSWERS) answers.push({ form, ...(await answer(context, text)) });
  console.log(JSON.stringify({ plain: plainly, answers }));
} finally {
  await browser.close();
}
