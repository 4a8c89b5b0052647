import { answer, composer, expectState, lastTurn, position, send, words } from "../support/chat.js";
import { awake, expect, test, visit } from "../support/site.js";

/** What the loopback model server says to a question, as a person reads it. */
function whole(question: string, tokens: number): string {
  const numbered = Array.from({ length: tokens - 1 }, (_, index) => `word${index + 1}`);
  return [`Answer to: ${question}`, ...numbered].join(" ");
}

test("a reload in the middle of an answer shows no gap and no repeat, and every tab the same", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  // A pace, so that the page has to catch up while pieces come; a gate, so that the reload is in the middle for sure.
  await send(page, "[[tokens=120 pace=10ms gate=middle after=60]] a long story");
  await expect(answer(page)).toContainText("word59");
  await expect(page).toHaveTitle("Answering… · Anteroom");
  const stays = await visit(page.context(), page.url());
  await expect(answer(stays)).toContainText("word59");

  await page.reload({ waitUntil: "commit" });
  await expect(answer(page)).toContainText("word59");
  expect(await words(answer(page))).toBe(whole("a long story", 60));
  await expectState(page, "running");
  // It is in the page as the server sends it, before any script.
  expect(await (await page.request.get(page.url())).text()).toContain("word59");

  await site.model.open("middle");
  // Once more, while pieces come.
  await page.reload({ waitUntil: "commit" });
  await awake(page);
  const late = await visit(page.context(), page.url());
  for (const tab of [stays, page, late]) {
    await expectState(tab, "done");
    expect(await words(answer(tab))).toBe(whole("a long story", 120));
  }
  expect(await answer(page).innerHTML()).toBe(await answer(stays).innerHTML());
  await page.reload();
  await awake(page);
  expect(await words(answer(page))).toBe(whole("a long story", 120));
  expect((await site.model.record()).requests.length).toBe(1);
});

test("seven tabs of one browser all show the place and the answer, and can send", async ({ start }) => {
  test.setTimeout(180_000);
  const site = await start({ CHAT_CONCURRENCY_LIMIT: "1" });
  await site.model.set({ hold: true });
  const other = await site.person();
  await send(other, "holds the slot");
  await expectState(other, "running");

  const first = await site.person();
  await send(first, "shown seven times");
  const tabs = [first];
  while (tabs.length < 7) {
    tabs.push(await visit(first.context(), first.url()));
  }
  for (const tab of tabs) {
    await expect(position(tab)).toHaveAttribute("data-position", "1");
  }
  await site.model.release();
  for (const tab of tabs) {
    await expectState(tab, "running");
    await expect(answer(tab)).toContainText("Answer to: shown seven times");
  }
  await site.model.set({ hold: false });
  for (const tab of tabs) {
    await expectState(tab, "done");
    expect(await words(answer(tab))).toBe(whole("shown seven times", 10));
  }

  await send(tabs[6], "from the seventh");
  for (const tab of tabs) {
    await expect(tab.getByTestId("turn")).toHaveCount(2);
    await expectState(tab, "done");
    await expect(answer(tab)).toContainText("Answer to: from the seventh");
  }
});

test("stop keeps what was written, and ends the request to the model", async ({ start }) => {
  const site = await start({ CHAT_CONCURRENCY_LIMIT: "1" });
  const page = await site.person();
  await send(page, "[[tokens=50 gate=never after=5]] stop me");
  await expect(answer(page)).toContainText("word4");
  await page.getByTestId("stop").press("Enter");
  await expectState(page, "cancelled");
  await expect(lastTurn(page)).toContainText("Stopped");
  // The button has gone, but the keyboard is not lost.
  await expect(composer(page)).toBeFocused();
  expect(await words(answer(page))).toBe(whole("stop me", 5));
  await site.model.until("the request's end", ({ requests }) => requests[0]?.ending === "client_gone");
  await page.reload();
  await expectState(page, "cancelled");
  expect(await words(answer(page))).toBe(whole("stop me", 5));
  // The slot is free.
  await awake(page);
  await send(page, "go on");
  await expect(answer(page)).toContainText("Answer to: go on");
  await expectState(page, "done");
});

test("without a network the page says so, keeps what is typed, and catches up by itself", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await send(page, "[[tokens=30 gate=middle after=10]] while away");
  await expect(answer(page)).toContainText("word9");
  await page.context().setOffline(true);
  await expect(page.getByTestId("offline")).toBeVisible();
  await composer(page).fill("typed while away");
  // The turn is the server's: it goes on.
  await site.model.open("middle");
  await site.model.until("the answer's end", ({ requests }) => requests[0]?.ending === "complete");
  await expectState(page, "running");
  await page.context().setOffline(false);
  await expect(page.getByTestId("offline")).toBeHidden();
  await expectState(page, "done");
  expect(await words(answer(page))).toBe(whole("while away", 30));
  await expect(composer(page)).toHaveValue("typed while away");
  await composer(page).press("Enter");
  await expect(answer(page)).toContainText("Answer to: typed while away");
});

test("a restart of the server is told, and the page comes back by itself with what is typed", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await composer(page).fill("typed before the restart");
  await site.server.halt();
  await expect(page.getByTestId("offline")).toBeVisible();
  await composer(page).press("End");
  await composer(page).pressSequentially(", and on");
  await site.server.restart();
  await expect(page.getByTestId("offline")).toBeHidden();
  await expect(composer(page)).toHaveValue("typed before the restart, and on");
  await composer(page).press("Enter");
  await expect(answer(page)).toContainText("Answer to: typed before the restart, and on");
  await expectState(page, "done");
});

test("an answer that ends before its time says so, live and after a reload, and can be had again", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await send(page, "[[tokens=4 finish=length]] cut short");
  await expectState(page, "incomplete");
  const notice = lastTurn(page).getByTestId("incomplete");
  await expect(notice).toContainText("longest answer");
  expect(await words(answer(page))).toBe(whole("cut short", 4));
  await page.reload();
  await awake(page);
  await expect(notice).toContainText("longest answer");
  await lastTurn(page).getByTestId("regenerate").click();
  await expect(lastTurn(page).getByTestId("versions")).toContainText("2 / 2");
  await expectState(page, "incomplete");
});

test("a message that nobody can see is not sent", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  for (const blank of ["\u200b", "\ufeff\u00ad \u3164", "\u202e\u2066\ufe0f"]) {
    await composer(page).fill(blank);
    await page.getByTestId("send").click();
    await composer(page).press("Enter");
  }
  await expect(page.getByTestId("turn")).toHaveCount(0);
  await composer(page).fill("");
  await send(page, "this one can be seen");
  await expectState(page, "done");
  expect((await site.model.record()).requests.length).toBe(1);
});

test("what has been written of an answer stays as it is while more of it comes", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await send(page, "[[tokens=60 gate=middle after=30]] a story");
  await expect(answer(page)).toContainText("word29");
  // Somebody selects a word, and the last paragraph and its text are looked at more closely.
  await answer(page).evaluate((answer) => {
    const paragraph = answer.querySelector(".block:last-child > p:last-child");
    const text = paragraph?.firstChild;
    if (!(text instanceof Text)) {
      throw new Error("no text");
    }
    getSelection()?.setBaseAndExtent(text, text.data.indexOf("word7"), text, text.data.indexOf("word7") + 5);
    Object.assign(window, { paragraph, text });
  });
  await site.model.open("middle");
  await expectState(page, "done");
  const kept = await answer(page).evaluate(() => {
    const { paragraph, text } = window as unknown as { paragraph: Element; text: Text };
    return { there: paragraph.isConnected && text.isConnected, grown: text.data.includes("word59"), selected: String(getSelection()) };
  });
  expect(kept).toEqual({ there: true, grown: true, selected: "word7" });
  expect(await words(answer(page))).toBe(whole("a story", 60));
});

test("code that its reader wraps while it streams stays wrapped, and has its colours at the end", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await site.model.set({ reply: "echo", gate: "middle", after: 12 });
  const lines = Array.from({ length: 50 }, (_, line) => `let value_${line} = ${line};`);
  await send(page, ["```rust", ...lines, "```", "That was all."].join("\n"));
  const code = answer(page).locator(".code");
  await expect(code).toContainText("value_1");
  await expect(code).not.toContainText("value_40");
  const wrap = code.getByRole("button", { name: "Wrap" });
  await wrap.click();
  await site.model.open("middle");
  await expectState(page, "done");
  await expect(answer(page)).toContainText("That was all.");
  await expect(wrap).toHaveAttribute("aria-pressed", "true");
  await expect(wrap).toBeFocused();
  await expect(code).toHaveClass("code long wrapped");
  await expect(code.locator(".h-key")).toHaveCount(50);
  await expect(code.locator("[data-tool=more]")).toHaveText(/50/);
});

test("an answer in Markdown that streams becomes what a page shows that comes later", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await site.model.set({ reply: "markdown", pace: 2 });
  await send(page, "everything");
  await expectState(page, "done");
  // But for the marks that a page of the server's has between its parts.
  const blocks = () => answer(page).locator(".block").evaluateAll((all) => all.map((block) => block.innerHTML.replaceAll("<!---->", "")));
  const streamed = await blocks();
  expect(streamed.length).toBeGreaterThan(10);
  await page.reload();
  await awake(page);
  expect(await blocks()).toEqual(streamed);
});

test("whatever is put to a text that grows, it ends as what it would be if it were put in whole", async ({ start }) => {
  const page = await (await start()).person();
  const wrong = await page.evaluate(() => {
    const grow = (window as unknown as { grow: (place: Element, html: string) => void }).grow;
    // The same each time; the seed is as good as any.
    let state = 20_261_130;
    const dice = (sides: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return (state >>> 8) % sides;
    };
    const one = (of: string[]) => of[dice(of.length)];
    const some = (make: () => string) => Array.from({ length: dice(4) + 1 }, make).join("");
    const words = (deep = 0): string =>
      some(() => {
        const text = one(["word ", "a &amp; b ", "x &lt; y", "ä😀", "\n", "fooba", "&nbsp;z", "<br>"]);
        return deep > 2 || dice(3) ? text : one([`<strong>${words(deep + 1)}</strong>`, `<a href="h?a=1&amp;b&gt;">${words(deep + 1)}</a>`]);
      });
    const block = (deep = 0): string => {
      const inner = () => (deep > 2 || dice(2) ? words() : `\n${block(deep + 1)}`);
      return one([
        `<p>${words()}</p>\n`,
        `<ul>\n${some(() => `<li>${inner()}</li>\n`)}</ul>\n`,
        `<div tabindex="0"><table>\n<tbody>\n${some(() => `<tr>\n${some(() => `<td>${words()}</td>\n`)}</tr>\n`)}</tbody>\n</table>\n</div>`,
        `<div><button>Copy</button><pre><code>${words(3)}</code></pre><button><span>all</span></button></div>\n`,
        `<p>${words()}<math><mi>x</mi><mo>=</mo><mn>${dice(99)}</mn></math> ${words()}</p>\n<hr>\n`,
      ]);
    };
    /** As much of it as there is, with what is open closed: as the server shows what is half-written. */
    const half = (html: string, length: number) => {
      const cut = html.slice(0, length).replace(/(<[^>]*|&[#\w]*|[\ud800-\udbff])$/, "");
      const made = document.createElement("div");
      made.innerHTML = dice(30) ? cut : cut.replace("word", "w<em>or</em>d");
      return made.innerHTML;
    };
    for (let round = 0; round < 300; round++) {
      const [html, place] = [some(() => block()), document.createElement("div")];
      const seen: string[] = [];
      for (let length = 0; length < html.length; ) {
        length += dice(40) + 1;
        seen.push(half(html, dice(25) ? length : dice(length)));
        grow(place, seen[seen.length - 1]);
        if (place.innerHTML !== seen[seen.length - 1]) {
          return [...seen.slice(-2), place.innerHTML];
        }
      }
    }
    return [];
  });
  expect(wrong).toEqual([]);
});
