import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";
import { answer, composer, expectState, lastTurn } from "../support/chat.js";
import { expect, test } from "../support/site.js";

interface Given {
  name: string;
  mimeType: string;
  buffer: Buffer;
}

const NOTES: Given = { name: "notes.md", mimeType: "text/markdown", buffer: Buffer.from("# Remember the milk\n") };

async function picture(): Promise<Given> {
  const path = fileURLToPath(new URL("../../app/public/icon-180.png", import.meta.url));
  return { name: "picture.png", mimeType: "image/png", buffer: await readFile(path) };
}

const chips = (page: Page) => page.getByTestId("attachment");

async function pick(page: Page, files: Given[]): Promise<void> {
  await page.getByTestId("attach").setInputFiles(files);
}

/** Files by the clipboard or by the mouse, as the browser hands them to the page. */
async function hand(page: Page, how: "paste" | "drop", files: Given[]): Promise<void> {
  const plain = files.map(({ name, mimeType, buffer }) => ({ name, mimeType, base64: buffer.toString("base64") }));
  await composer(page).evaluate(
    (target, { how, plain }) => {
      const transfer = new DataTransfer();
      for (const { name, mimeType, base64 } of plain) {
        const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
        transfer.items.add(new File([bytes], name, { type: mimeType }));
      }
      const options = { bubbles: true, cancelable: true };
      if (how === "paste") {
        target.dispatchEvent(new ClipboardEvent("paste", { clipboardData: transfer, ...options }));
      } else {
        for (const type of ["dragenter", "dragover", "drop"]) {
          target.dispatchEvent(new DragEvent(type, { dataTransfer: transfer, ...options }));
        }
      }
    },
    { how, plain },
  );
}

for (const how of ["pick", "paste", "drop"] as const) {
  test(`a text and a picture go along with a message: ${how}`, async ({ start }) => {
    const site = await start();
    const page = await site.person();
    const files = [NOTES, await picture()];
    await (how === "pick" ? pick(page, files) : hand(page, how, files));
    await expect(chips(page)).toHaveCount(2);
    for (const [index, file] of files.entries()) {
      await expect(chips(page).nth(index)).toHaveAttribute("data-state", "taken");
      await expect(chips(page).nth(index)).toContainText(file.name);
    }
    await composer(page).fill("What is in these?");
    await composer(page).press("Enter");
    await expect(chips(page)).toHaveCount(0);
    await expectState(page, "done");
    const shown = lastTurn(page).getByTestId("file");
    await expect(shown).toHaveText([/notes\.md/, /picture\.png/]);
    // The picture itself, not a broken one.
    const thumbnail = shown.nth(1).locator("img");
    await expect.poll(() => thumbnail.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBeGreaterThan(0);

    const { requests } = await site.model.record();
    expect(requests[0].question).toContain("What is in these?");
    expect(requests[0].question).toContain("Remember the milk");
    expect(requests[0].images).toBe(1);

    // Theirs, and nobody else's.
    const stranger = await site.person();
    for (const link of await shown.all()) {
      const address = site.url + (await link.getAttribute("href"));
      expect((await page.request.get(address)).status()).toBe(200);
      expect((await stranger.request.get(address)).status()).toBe(404);
    }
  });
}

test("a file can be taken back, and one that is refused says why", async ({ start }) => {
  const site = await start({ MAX_UPLOAD_SIZE: "100KB" });
  const page = await site.person();
  const refused: [Given, RegExp][] = [
    [{ name: "program.png", mimeType: "image/png", buffer: Buffer.from("\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0", "latin1") }, /\w+ .*\w/],
    [{ name: "large.txt", mimeType: "text/plain", buffer: Buffer.alloc(200_000, "x") }, /too large: .* of at most/],
    [{ name: "empty.txt", mimeType: "text/plain", buffer: Buffer.alloc(0) }, /empty/],
  ];
  for (const [file, sentence] of refused) {
    await pick(page, [file]);
    await expect(chips(page)).toHaveAttribute("data-state", "failed");
    await expect(chips(page)).toContainText(file.name);
    await expect(chips(page).getByRole("alert")).toHaveText(sentence);
    await page.getByRole("button", { name: `Remove ${file.name}` }).click();
    await expect(chips(page)).toHaveCount(0);
  }
  await pick(page, [NOTES, refused[0][0]]);
  await expect(chips(page).nth(0)).toHaveAttribute("data-state", "taken");
  await expect(chips(page).nth(1)).toHaveAttribute("data-state", "failed");
  await page.getByRole("button", { name: "Remove notes.md" }).click();
  await expect(chips(page)).toHaveCount(1);
  await page.getByRole("button", { name: "Remove program.png" }).click();
  await composer(page).fill("without any file");
  await composer(page).press("Enter");
  await expect(answer(page)).toContainText("Answer to: without any file");
  await expect(page.getByTestId("file")).toHaveCount(0);
});

test("a file that could not be attached holds the message back until it is tried again or removed", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  await composer(page).fill("with both");
  await pick(page, [NOTES]);
  await expect(chips(page)).toHaveAttribute("data-state", "taken");
  await page.route("**/files?*", (route) => route.abort());
  await pick(page, [{ name: "plan.txt", mimeType: "text/plain", buffer: Buffer.from("Buy a cow\n") }]);
  const failed = chips(page).nth(1);
  await expect(failed).toHaveAttribute("data-state", "failed");
  await expect(page.getByTestId("send")).toBeDisabled();
  await composer(page).press("Enter");
  await expect(page.getByTestId("turn")).toHaveCount(0);
  await expect(composer(page)).toHaveValue("with both");
  await expect(page.locator(".composer-hint")).toHaveText("A file was not attached: try again or remove it, then send.");
  // The keyboard is where something can be done about it.
  await expect(page.getByRole("button", { name: "Remove plan.txt" })).toBeFocused();
  await page.unroute("**/files?*");
  await page.getByRole("button", { name: "Try again: plan.txt" }).click();
  await expect(failed).toHaveAttribute("data-state", "taken");

  // One that will not do whatever is tried can only go.
  await pick(page, [{ name: "film.mkv", mimeType: "video/x-matroska", buffer: Buffer.alloc(25_000_000) }]);
  await expect(chips(page).nth(2).getByRole("alert")).toHaveText("too large: 25 MB of at most 20 MB");
  await expect(page.getByTestId("attach-again")).toHaveCount(0);
  await composer(page).press("Enter");
  await expect(page.getByTestId("turn")).toHaveCount(0);
  await page.getByRole("button", { name: "Remove film.mkv" }).click();
  await expect(composer(page)).toBeFocused();
  await composer(page).press("Enter");
  await expectState(page, "done");
  await expect(lastTurn(page).getByTestId("file")).toHaveText([/notes\.md/, /plan\.txt/]);
  const { requests } = await site.model.record();
  expect(requests[0].question).toContain("Remember the milk");
  expect(requests[0].question).toContain("Buy a cow");
});

test("a file that is on its way goes on while one looks elsewhere", async ({ start }) => {
  const site = await start();
  const page = await site.person();
  let arrive = () => {};
  const gate = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  await page.route("**/files?*", async (route) => {
    await gate;
    await route.continue();
  });
  await composer(page).fill("with notes");
  await pick(page, [NOTES]);
  await expect(chips(page)).toHaveAttribute("data-state", "sending");
  await page.getByRole("navigation", { name: "Tabs" }).getByRole("link", { name: "Stats" }).click();
  await expect(page.getByTestId("stats-row")).toHaveCount(5);
  arrive();
  const draft = () => page.evaluate(() => localStorage.getItem("draft/new"));
  await expect.poll(draft).toContain("notes.md");
  await page.goBack();
  await expect(chips(page)).toHaveAttribute("data-state", "taken");
  await composer(page).press("Enter");
  await expectState(page, "done");
  await expect(lastTurn(page).getByTestId("file")).toHaveText([/notes\.md/]);
});
