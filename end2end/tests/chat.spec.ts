import { answer, composer, expectState, lastTurn, newChat, send } from "../support/chat.js";
import { awake, expect, test } from "../support/site.js";

test("an answer in Markdown comes with its lists, its table and highlighted code that can be copied", async ({ start }) => {
  const site = await start();
  const page = await site.person({ permissions: ["clipboard-read", "clipboard-write"] });
  await send(page, "[[reply=markdown]] in style");
  await expectState(page, "done");
  const text = answer(page);
  await expect(text.getByRole("heading", { name: "Lists" })).toBeVisible();
  await expect(text.locator("ul ul li").first()).toContainText("nested");
  await expect(text.getByRole("cell", { name: "Python" })).toBeVisible();
  await expect(text.locator("strong")).toHaveText("bold");
  await expect(text.getByRole("link", { name: "link", exact: true })).toHaveAttribute("href", "https://example.com/");
  const rust = text.locator(".code").first();
  await expect(rust.locator(".code-lang")).toContainText(/rust/i);
  expect(await rust.locator("pre span[class]").count()).toBeGreaterThan(3);
  // Highlighting shows: not all of the code has one colour.
  const colours = await rust
    .locator("pre span")
    .evaluateAll((spans) => new Set(spans.map((span) => getComputedStyle(span).color)).size);
  expect(colours).toBeGreaterThan(1);
  await expect(text).toContainText("no language: <b>not bold</b>");

  await rust.locator("[data-copy]").click();
  const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
  await expect.poll(clipboard).toContain("(0..n).fold((0, 1), |(a, b), _| (b, a + b)).0");
  expect(await clipboard()).not.toContain("Copy");
  await lastTurn(page).getByTestId("copy").click();
  await expect.poll(clipboard).toContain("```python");
  expect(await clipboard()).toContain("# A heading");
});

test("hostile Markdown does nothing", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  const dialogs: string[] = [];
  page.on("dialog", async (dialog) => {
    dialogs.push(dialog.message());
    await dialog.dismiss();
  });
  const foreign: string[] = [];
  page.on("request", (request) => {
    if (!/^(blob|data):/.test(request.url()) && !request.url().startsWith(site.url)) {
      foreign.push(request.url());
    }
  });
  const hostile = [
    "<script>window.__pwned = 1</script>",
    '<img src="x" onerror="window.__pwned = 2">',
    "<svg onload='window.__pwned = 3'><animate onbegin='window.__pwned = 4' attributeName=x></svg>",
    '<iframe srcdoc="<script>parent.__pwned = 5</script>"></iframe>',
    "[click me](javascript:window.__pwned=6)",
    "[click me too](JaVaScRiPt&colon;window.__pwned=7)",
    '<a href="javascript:window.__pwned=8">and me</a>',
    "[data](data:text/html,<script>window.__pwned=9</script>)",
    '<form action="/api/cancel"><button formaction="javascript:window.__pwned=10">press</button></form>',
    '<div style="position:fixed;inset:0" onclick="window.__pwned=11">cover</div>',
    '<style>body { display: none }</style><base href="http://127.0.0.1:9/"><meta http-equiv="refresh" content="0;url=/logs">',
    "![spy](http://127.0.0.1:9/spy.png)",
    '```html"><script>window.__pwned=12</script>\n<script>window.__pwned=13</script>\n```',
    "the end of it",
  ].join("\n\n");
  await composer(page).fill(`[[reply=echo]]\n${hostile}`);
  await composer(page).press("Enter");
  await expectState(page, "done");
  await expect(answer(page)).toContainText("the end of it");
  // As it comes over the feed, and as the server renders it.
  for (const round of ["feed", "page"]) {
    if (round === "page") {
      await page.reload();
      await awake(page);
      await expect(answer(page)).toContainText("the end of it");
    }
    const turn = lastTurn(page);
    await expect(turn.locator("script, iframe, object, embed, style, base, meta, form, img, input")).toHaveCount(0);
    const traps = await turn.evaluate((root) =>
      [...root.querySelectorAll("*")].flatMap((element) =>
        [...element.attributes]
          .filter(({ name, value }) => /^on/i.test(name) || /^\s*(javascript|data|vbscript):/i.test(value))
          .map(({ name, value }) => `${element.tagName} ${name}=${value}`),
      ),
    );
    expect(traps, round).toEqual([]);
    for (const link of await answer(page).locator("a").all()) {
      expect(await link.getAttribute("href"), round).toMatch(/^https?:/);
    }
    expect(await page.evaluate(() => (window as { __pwned?: number }).__pwned)).toBeUndefined();
  }
  expect(dialogs).toEqual([]);
  expect(foreign).toEqual([]);
  await expect(composer(page)).toBeVisible();
});

test("a fault of the model server is told in a sentence, and Retry works", async ({ start }) => {
  const site = await start({ MODEL_RETRIES: "0" });
  const page = await site.person();
  await send(page, "[[fault=status:500 times=1]] fails once");
  await expectState(page, "failed");
  const reason = lastTurn(page).getByTestId("reason");
  await expect(reason).toHaveText(/^[A-Z].*\.$/);
  await expect(reason).not.toContainText("Told to refuse");
  await lastTurn(page).getByTestId("retry").click();
  await expectState(page, "done");
  await expect(answer(page)).toContainText("Answer to: fails once");
  await expect(page.getByTestId("reason")).toHaveCount(0);

  // Cut off in the middle: what came stays to be read.
  await send(page, "[[fault=close:4 tokens=20]] breaks off");
  await expectState(page, "failed");
  await expect(answer(page)).toContainText("word3");
  await expect(reason).toHaveText(/^[A-Z].*\.$/);
});

test("an answer can be made once more", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await send(page, "[[tokens=3]] first");
  await expectState(page, "done");
  await send(page, "[[tokens=4]] second");
  await expectState(page, "done");
  await expect(page.getByTestId("regenerate")).toHaveCount(1);
  await site.model.set({ gate: "again" });
  await page.getByTestId("regenerate").click();
  await expectState(page, "running");
  await expect(answer(page)).toContainText("Answer to: second");
  await expect(answer(page)).not.toContainText("word");
  await site.model.open("again");
  await expectState(page, "done");
  await expect(answer(page)).toContainText("word3");
  await expect(page.getByTestId("turn")).toHaveCount(2);
  const { requests } = await site.model.record();
  expect(requests.map(({ question }) => question)).toEqual(["first", "second", "second"]);
});

test("conversations stand at the side, and each has its own address", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await expect(page.getByTestId("conversation")).toHaveCount(0);
  await send(page, "about apples");
  await expectState(page, "done");
  const apples = page.url();
  await newChat(page);
  await send(page, "about pears");
  await expectState(page, "done");
  await expect(page.getByTestId("conversation")).toHaveText([/about pears/, /about apples/]);

  await page.getByTestId("conversation").filter({ hasText: "about apples" }).click();
  await expect(page).toHaveURL(apples);
  await expect(answer(page)).toContainText("Answer to: about apples");
  await expect(page.getByText("Answer to: about pears")).toHaveCount(0);
  await page.goBack();
  await expect(answer(page)).toContainText("Answer to: about pears");
  // One that is answered elsewhere comes first again.
  await page.goForward();
  await expect(answer(page)).toContainText("Answer to: about apples");
  await send(page, "more about apples");
  await expectState(page, "done");
  await expect(page.getByTestId("conversation")).toHaveText([/about apples/, /about pears/]);

  // Another browser sees none of it.
  const stranger = await site.person();
  await expect(stranger.getByTestId("conversation")).toHaveCount(0);
  await stranger.goto(apples);
  await expect(stranger.getByRole("heading", { name: "There is no such conversation" })).toBeVisible();
});

test("Enter sends, Shift+Enter makes a line, nothing sends nothing", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  for (const blank of ["", "   ", "\n\n"]) {
    await composer(page).fill(blank);
    await composer(page).press("Enter");
    await page.getByTestId("send").click();
  }
  await expect(page.getByTestId("turn")).toHaveCount(0);
  await composer(page).fill("");
  await composer(page).pressSequentially("one line");
  await composer(page).press("Shift+Enter");
  await composer(page).pressSequentially("another");
  await expect(composer(page)).toHaveValue("one line\nanother");
  await composer(page).press("Enter");
  await expect(composer(page)).toHaveValue("");
  await expectState(page, "done");
  const { requests } = await site.model.record();
  expect(requests.map(({ question }) => question)).toEqual(["one line\nanother"]);
});

test("everything can be done with the keyboard", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  /** Presses Tab until this has the focus. */
  const tabTo = async (name: string | RegExp, role: "textbox" | "button" | "link") => {
    const target = page.getByRole(role, { name }).first();
    for (let presses = 0; presses < 40; presses++) {
      if (await target.evaluate((element) => element === document.activeElement)) {
        return;
      }
      await page.keyboard.press("Tab");
    }
    throw new Error(`Tab does not lead to ${name}`);
  };
  // Whoever has come to write can write at once; all else is a round of Tab away.
  await expect(composer(page)).toBeFocused();
  await tabTo("Skip to the content", "link");
  await page.keyboard.press("Enter");
  await expect(page.locator("#content")).toBeFocused();
  await tabTo("Your message", "textbox");
  await composer(page).evaluate((area) => area.addEventListener("blur", () => area.setAttribute("data-blurred", "")));
  await page.keyboard.type("[[tokens=9 gate=stop after=4]] by keyboard");
  await page.keyboard.press("Enter");
  await expect(answer(page)).toContainText("word3");
  // The conversation has got its address meanwhile. That takes the focus away for not a moment: a phone would
  // fold its keyboard.
  await expect(page).toHaveURL(/\/c\//);
  await expect(composer(page)).toBeFocused();
  await expect(composer(page)).not.toHaveAttribute("data-blurred");
  await tabTo(/^Stop$/, "button");
  await page.keyboard.press("Enter");
  await expectState(page, "cancelled");
  await site.model.open("stop");
  await tabTo("Regenerate", "button");
  await page.keyboard.press("Enter");
  await expectState(page, "done");
  await tabTo("New chat", "link");
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("turn")).toHaveCount(0);
});

test("what is typed before the page awakes, stays", async ({ start }) => {
  const site = await start();
  const page = await (await site.context()).newPage();
  let arrive = () => {};
  const typed = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  await page.route("**/*.wasm", async (route) => {
    await typed;
    await route.continue();
  });
  await page.goto(site.url, { waitUntil: "commit" });
  await composer(page).fill("typed early");
  await expect(page.locator("html")).not.toHaveAttribute("data-awake");
  arrive();
  await awake(page);
  await expect(composer(page)).toHaveValue("typed early");
  await composer(page).press("End");
  await composer(page).pressSequentially(", sent late");
  await composer(page).press("Enter");
  await expect(answer(page)).toContainText("Answer to: typed early, sent late");
});

test("a message can be sent before the page awakes", async ({ start }) => {
  const site = await start();
  const page = await (await site.context()).newPage();
  await page.route("**/*.wasm", (route) => route.abort());
  await page.goto(site.url);
  await composer(page).fill("very early");
  await composer(page).press("Enter");
  await expect(page).toHaveURL(/\/c\//);
  await expect(lastTurn(page)).toContainText("very early");
  await page.unroute("**/*.wasm");
  await page.reload();
  await expect(answer(page)).toContainText("Answer to: very early");
});

test("without JavaScript a message can be sent and its answer read", async ({ start }) => {
  const site = await start();
  const page = await (await site.context({ javaScriptEnabled: false })).newPage();
  await page.goto(site.url);
  await composer(page).fill("no script here");
  await page.getByTestId("send").click();
  await expect(page).toHaveURL(/\/c\//);
  await expect(page.getByText("no script here").first()).toBeVisible();
  await site.model.until("the answer", ({ requests }) => requests[0]?.ending === "complete");
  await expect(async () => {
    await page.reload();
    await expect(answer(page)).toContainText("word9", { timeout: 1_000 });
  }).toPass();
  await composer(page).fill("and on");
  await page.getByTestId("send").click();
  await expect(page.getByTestId("turn")).toHaveCount(2);
});

test("without JavaScript a message that is refused comes back in a page", async ({ start }) => {
  const site = await start();
  const context = await site.context({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(site.url);
  await composer(page).fill("a lost cookie");
  await context.clearCookies();
  await page.getByTestId("send").click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Your message was not sent");
  await expect(page.getByText("Allow cookies for this site")).toBeVisible();
  await expect(page.getByText("a lost cookie")).toBeVisible();
  await page.getByRole("link", { name: "Back", exact: true }).click();
  await composer(page).fill("with a new one");
  await page.getByTestId("send").click();
  await expect(page).toHaveURL(/\/c\//);
});
