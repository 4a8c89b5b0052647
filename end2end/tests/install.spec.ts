import type { BrowserContext, Page } from "@playwright/test";
import { barriers } from "../support/axe.js";
import { answer, composer, expectState, lastTurn, newChat, send } from "../support/chat.js";
import { type Proxy, startProxy } from "../support/proxy.js";
import { type Ends, type Place, type Site, awake, expect, place, test, visit } from "../support/site.js";

/** A browser with a service worker. */
const WORKER = { serviceWorkers: "allow" } as const;

/** A proxy in front of a site, and browsers that come by way of it. */
async function behindProxy(site: Site, context: BrowserContext, ends: Ends): Promise<Place & { proxy: Proxy }> {
  const browser = context.browser();
  if (!browser) {
    throw new Error("a context without its browser");
  }
  const proxy = await startProxy(site.url);
  ends.push(proxy.stop);
  return { ...place(browser, proxy.url, ends), proxy };
}

/** Resolves once the worker stands before the page. */
async function worked(page: Page): Promise<void> {
  await page.waitForFunction(() => navigator.serviceWorker.controller?.state === "activated");
}

/** All that the worker keeps, as text, by the names of its caches. */
async function kept(page: Page): Promise<{ names: string[]; text: string }> {
  return page.evaluate(async () => {
    const names = await caches.keys();
    const texts: string[] = [];
    for (const name of names) {
      const cache = await caches.open(name);
      for (const request of await cache.keys()) {
        const answer = await cache.match(request);
        texts.push(request.url, (await answer?.text()) ?? "");
      }
    }
    return { names, text: texts.join("\n") };
  });
}

async function keptText(page: Page): Promise<string> {
  return (await kept(page)).text;
}

/** Has a conversation and its answer, and resolves once the worker has it. */
async function talk(page: Page, text: string): Promise<string> {
  await send(page, text);
  await expectState(page, "done");
  // As whoever turns to something else.
  await page.evaluate(() => dispatchEvent(new Event("pagehide")));
  await expect.poll(() => keptText(page)).toContain(`"asked":${JSON.stringify(text)}`);
  return page.url();
}

const LOOKS = [
  { name: "desktop-light-en", colorScheme: "light", locale: "en-GB", heading: "No connection", viewport: { width: 1280, height: 800 } },
  { name: "phone-dark-ru", colorScheme: "dark", locale: "ru-RU", heading: "Нет соединения", viewport: { width: 390, height: 844 } },
] as const;

for (const { name, heading, ...look } of LOOKS) {
  test(`without a connection there is what was read last and what was not sent, until there is one: ${name}`, async ({ start, context, ends }) => {
    const site = await start();
    const { proxy, person } = await behindProxy(site, context, ends);
    const page = await person({ ...WORKER, ...look });
    await worked(page);
    const first = await talk(page, "about apples");
    await page.goto(`${proxy.url}/`);
    await awake(page);
    const last = await talk(page, "about `pears` </script> & <b>plums</b>");

    proxy.fail();
    await expect(page.getByTestId("offline")).toBeVisible();
    await composer(page).fill("written without a connection");
    await composer(page).press("Enter");
    await expectState(page, "unsent");
    await page.reload();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(heading);
    await expect(page.locator("html")).toHaveAttribute("lang", look.locale.slice(0, 2));
    await expect(page.getByTestId("no-connection").locator("time")).toHaveText(/\d/);
    const read = page.getByTestId("read-last");
    await expect(read.getByTestId("turn")).toHaveCount(1);
    await expect(read.locator(".message-text")).toHaveText("about `pears` </script> & <b>plums</b>");
    await expect(read.getByTestId("answer")).toContainText("Answer to: about");
    await expect(page.locator("#unsent .message-text")).toHaveText(["written without a connection"]);
    expect(await barriers(page)).toEqual([]);
    await page.screenshot({ path: `test-results/looks/offline-${name}.png`, fullPage: true });

    // Each conversation has its own address, and the start shows the last one. A proxy without its server is no connection, either.
    proxy.mend();
    proxy.fail(502);
    await page.goto(first);
    await expect(read.getByTestId("answer")).toContainText("Answer to: about apples");
    await expect(page.locator("#others a")).toHaveAttribute("href", new URL(last).pathname);
    await page.goto(`${proxy.url}/c/0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f`);
    await expect(page.locator("#missing")).toBeVisible();
    await expect(page.getByTestId("turn")).toHaveCount(0);
    await page.goto(`${proxy.url}/`);
    await expect(read.locator(".message-text")).toContainText("pears");

    proxy.mend();
    await awake(page);
    await page.goto(last);
    await awake(page);
    await expect(lastTurn(page)).toContainText("written without a connection");
    await expectState(page, "done");
    await expect(answer(page)).toContainText("Answer to: written without a connection");
  });
}

test("whoever reads further down is told of the connection, and not taken away from there", async ({ start, context, ends }) => {
  const site = await start();
  const { proxy, person } = await behindProxy(site, context, ends);
  const page = await person({ ...WORKER, viewport: { width: 390, height: 600 } });
  await worked(page);
  await talk(page, "story [[tokens=600]]");
  proxy.fail();
  await page.reload();
  await expect(page.getByTestId("read-last")).toBeVisible();
  await page.getByTestId("answer").evaluate((answer) => answer.scrollIntoView({ block: "end" }));
  proxy.mend();
  await expect(page.locator("#back")).toBeVisible();
  await expect(page.getByTestId("read-last")).toBeVisible();
  await page.getByTestId("try-again").click();
  await awake(page);
  await expect(answer(page)).toContainText("word599");
});

test("after an upgrade nothing of the build before is shown, with a connection or without", async ({ start, context, ends }) => {
  const site = await start();
  const { proxy, person } = await behindProxy(site, context, ends);
  const page = await person(WORKER);
  await worked(page);
  const before = await talk(page, "read before");
  await newChat(page);
  const open = await talk(page, "read before and after");
  const [old] = (await kept(page)).names.filter((name) => name.startsWith("anteroom-read-"));
  expect(old).toMatch(/-[0-9a-f]{16}$/);

  proxy.rewrite((path, text) => {
    if (path === "/worker.js") {
      expect(text).toContain(`const BUILD = "${old.slice("anteroom-read-".length)}"`);
      return text.replace(/const BUILD = "\w+"/, 'const BUILD = "upgraded"').replaceAll("No connection", "No connection now");
    }
    return text.replace("<head>", '<head><meta name="build" content="upgraded">');
  });
  // The old worker still stands before the page, which comes from the network all the same.
  await page.goto(open);
  await expect(page.locator("meta[name=build]")).toHaveAttribute("content", "upgraded");
  await awake(page);
  await expect.poll(async () => (await kept(page)).names.sort()).toEqual(["anteroom-read-upgraded", "anteroom-reader"]);
  await expect.poll(() => keptText(page)).toContain("Answer to: read before and after");

  proxy.fail();
  await page.reload();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("No connection now");
  await expect(page.getByTestId("answer")).toContainText("Answer to: read before and after");
  await expect(page.locator("#others")).toBeHidden();
  await page.goto(before);
  await expect(page.locator("#missing")).toBeVisible();
});

test("of whoever has everything deleted nothing is left for the next one, whatever other tabs still show", async ({ start, context, ends }) => {
  const site = await start();
  const { proxy, person } = await behindProxy(site, context, ends);
  const page = await person(WORKER);
  await worked(page);
  const address = await talk(page, "the first one's secret");
  const other = await visit(page.context(), address);
  await expect(answer(other)).toContainText("secret");
  await page.goto(`${proxy.url}/data`);
  await awake(page);
  await page.getByTestId("forget").click();
  await page.getByTestId("forget-really").click();
  await expect(page).toHaveURL(`${proxy.url}/`);
  await awake(page);
  await worked(page);
  expect(await keptText(page)).not.toContain("secret");
  // A tab of before goes only now, and says so before it does.
  await other.evaluate(() => dispatchEvent(new Event("pagehide")));
  await other.close();

  await talk(page, "the next one's words");
  expect(await keptText(page)).not.toContain("secret");
  proxy.fail();
  await page.goto(`${proxy.url}/`);
  await expect(page.getByTestId("answer")).toContainText("the next one's words");
  await expect(page.locator("#others")).toBeHidden();
  await page.goto(address);
  await expect(page.locator("#missing")).toBeVisible();
  expect(await page.content()).not.toContain("secret");
});

test("what is deleted with scripts off goes from the browser, too", async ({ start, context, ends }) => {
  const site = await start();
  const { proxy, person } = await behindProxy(site, context, ends);
  const page = await person(WORKER);
  await worked(page);
  await talk(page, "a secret");
  // The form as it is before the page is awake: it never is, here.
  await page.route("**/*.wasm", (route) => route.abort());
  await page.goto(`${proxy.url}/data`);
  await page.getByTestId("forget").click();
  // The page comes again, as that of somebody new.
  const reader = () => page.locator("html").getAttribute("data-reader");
  const before = await reader();
  await page.getByTestId("forget-really").click();
  await expect.poll(reader).not.toBe(before);
  expect(await keptText(page)).not.toContain("secret");
  proxy.fail();
  await page.reload();
  await expect(page.getByTestId("no-connection")).toBeVisible();
  await expect(page.getByTestId("turn")).toHaveCount(0);
});

/** Makes a link of the open conversation. */
async function link(page: Page, make: (page: Page) => Promise<void>): Promise<string> {
  await page.goto(`${page.url()}/along`);
  await make(page);
  return page.getByTestId("along-address").inputValue();
}

test("a browser that becomes somebody else by a link keeps nothing of before", async ({ start, context, ends }) => {
  const site = await start();
  const { proxy, person } = await behindProxy(site, context, ends);
  const page = await person(WORKER);
  await talk(page, "of the computer");
  const address = await link(page, async (page) => {
    await page.locator("summary").click();
    await page.getByRole("checkbox").check();
    await page.getByTestId("along-move").click();
  });
  const phone = await person(WORKER);
  await worked(phone);
  await talk(phone, "of the phone before");
  await phone.goto(address);
  await phone.getByRole("checkbox").check();
  await phone.getByTestId("along-open").click();
  await expect(phone).toHaveURL(/\/c\//);
  await awake(phone);
  await expect(answer(phone)).toContainText("of the computer");
  await expect.poll(() => keptText(phone)).toContain("Answer to: of the computer");
  expect(await keptText(phone)).not.toContain("of the phone before");
  proxy.fail();
  await phone.goto(`${proxy.url}/`);
  await expect(phone.getByTestId("answer")).toContainText("of the computer");
  expect(await phone.content()).not.toContain("of the phone before");
});

test("what a guest sees is not kept, and their page has nothing to stand in for it", async ({ start, context, ends }) => {
  const site = await start();
  const { proxy, person } = await behindProxy(site, context, ends);
  const page = await person(WORKER);
  await talk(page, "for the guest alone");
  const address = await link(page, async (page) => page.getByTestId("along-watch").click());
  const guest = await person(WORKER);
  await worked(guest);
  await guest.goto(address);
  await guest.getByTestId("along-open").click();
  await expect(guest).toHaveURL(/\/along\//);
  await expect(answer(guest)).toContainText("for the guest alone");
  const watched = guest.url();
  await guest.evaluate(() => dispatchEvent(new Event("pagehide")));
  await guest.goto(`${proxy.url}/`);
  await awake(guest);
  await talk(guest, "of the guest's own");
  expect(await keptText(guest)).not.toContain("for the guest alone");
  proxy.fail();
  await expect(guest.goto(watched)).rejects.toThrow(/ERR_/);
});

test("a conversation that is deleted is not kept any more", async ({ start, context, ends }) => {
  const site = await start();
  const { person } = await behindProxy(site, context, ends);
  const page = await person(WORKER);
  await worked(page);
  await talk(page, "to be deleted");
  await newChat(page);
  await talk(page, "to stay");
  const row = page.locator("li", { has: page.getByTestId("conversation").filter({ hasText: "to be deleted" }) });
  await row.hover();
  await row.getByTestId("conversation-more").click();
  await page.getByTestId("delete").click();
  await expect(page.getByTestId("deleted")).toBeVisible();
  await expect.poll(() => page.evaluate(() => dispatchEvent(new Event("pagehide"))).then(() => keptText(page))).not.toContain("to be deleted");
  expect(await keptText(page)).toContain("Answer to: to stay");
});

test("the site can be installed, with icons that are what they say", async ({ start }) => {
  const site = await start();
  for (const locale of ["en-GB", "ru-RU"]) {
    const page = await site.person({ ...WORKER, locale });
    const address = await page.locator("link[rel=manifest]").getAttribute("href");
    const manifest = await (await page.request.get(`${site.url}${address}`)).json();
    expect(manifest).toMatchObject({ lang: locale.slice(0, 2), id: "/", scope: "/", start_url: "/", display: "standalone" });
    const purposes = manifest.icons.map(({ sizes, purpose = "any" }: { sizes: string; purpose?: string }) => `${sizes} ${purpose}`);
    expect(purposes).toEqual(expect.arrayContaining(["192x192 any", "512x512 any", "512x512 maskable"]));
    for (const { src, sizes, type } of manifest.icons) {
      const icon = await page.request.get(site.url + src);
      expect(icon.headers()["content-type"], src).toBe(type);
      if (type === "image/png") {
        const size = await page.evaluate(async (src) => {
          const picture = new Image();
          picture.src = src;
          await picture.decode();
          return `${picture.naturalWidth}x${picture.naturalHeight}`;
        }, src);
        expect(size, src).toBe(sizes);
      }
    }
    // What the browser itself says is missing.
    await worked(page);
    const session = await page.context().newCDPSession(page);
    const { installabilityErrors } = await session.send("Page.getInstallabilityErrors");
    expect(installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== "in-incognito")).toEqual([]);
    const { errors } = await session.send("Page.getAppManifest");
    expect(errors).toEqual([]);
  }
});
