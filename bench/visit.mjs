// A first and a second visit in a real browser: bytes over the wire, and the time until the message box can be used.
//
// Usage: node visit.mjs FOLDER_WITH_PLAYWRIGHT URL. Prints one line of JSON. CHROMIUM names the browser.
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [folder, url] = process.argv.slice(2);
const { chromium } = createRequire(resolve(folder, "package.json"))("@playwright/test");
// Nothing has been loaded for so long: the page is complete.
const QUIET_MS = 2000;
const PATIENCE_MS = 60_000;

// Runs in the page before anything else: when the first text box is there, is seen, and takes text.
function watchForTheBox() {
  const look = () => {
    const box = document.querySelector("textarea");
    const usable = box && !box.disabled && !box.readOnly && box.getClientRects().length > 0;
    if (usable) window.usableAt = performance.now();
    else setTimeout(look, 2);
  };
  look();
}

async function visit(context) {
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  let bytes = 0;
  let last = Date.now();
  await session.send("Network.enable");
  // As received, headers included; nothing for what the cache had.
  session.on("Network.loadingFinished", (event) => {
    bytes += event.encodedDataLength;
    last = Date.now();
  });
  await page.addInitScript(watchForTheBox);
  await page.goto(url);
  const usable = await page.waitForFunction(() => window.usableAt, undefined, { timeout: PATIENCE_MS });
  const end = Date.now() + PATIENCE_MS;
  while (Date.now() - last < QUIET_MS && Date.now() < end) await page.waitForTimeout(100);
  const usableAt = await usable.jsonValue();
  await page.close();
  return { bytes, usable_ms: usableAt };
}

const args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args });
try {
  const context = await browser.newContext();
  const cold = await visit(context);
  const warm = await visit(context);
  console.log(JSON.stringify({ cold, warm }));
} finally {
  await browser.close();
}
