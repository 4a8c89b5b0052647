import { mkdir, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Locator, Page } from "@playwright/test";

const FOLDER = fileURLToPath(new URL("../../docs/pictures/", import.meta.url));

/** Whether the pictures of `docs/` are to be taken anew. */
export const wanted = process.env.UPDATE_PICTURES === "1";

/** Takes a picture for `docs/` of what is in sight, as WebP, which is a quarter of a PNG. */
export async function picture(page: Page, name: string, options: Parameters<Page["screenshot"]>[0] = {}): Promise<void> {
  const shot = await page.screenshot(options);
  // The browser itself is what can write it. A page of its own: the site's lets no other pictures in.
  const desk = await page.context().newPage();
  const webp = await desk.evaluate(async (png) => {
    const bitmap = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
    const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: "image/webp", quality: 0.82 })).arrayBuffer());
    let text = "";
    for (const byte of bytes) {
      text += String.fromCharCode(byte);
    }
    return btoa(text);
  }, shot.toString("base64"));
  await desk.close();
  await mkdir(FOLDER, { recursive: true });
  await writeFile(`${FOLDER}${name}.webp`, Buffer.from(webp, "base64"));
  await page.bringToFront();
}

/** Has what moves come to its end; what goes on for as long as it is there is left alone. */
export async function settled(page: Page): Promise<void> {
  await page.evaluate(() => {
    const passing = document.getAnimations().filter((one) => one.playState === "running" && one.effect?.getTiming().iterations !== Infinity && !isLight(one));
    function isLight(one: Animation) {
      return one.effect instanceof KeyframeEffect && one.effect.target?.matches(".door-light");
    }
    return Promise.all(passing.map((one) => one.finished.catch(() => {})));
  });
}

/** Holds a motion still, so many milliseconds after its beginning. */
export async function hold(moving: Locator, at: number): Promise<void> {
  await moving.evaluate((moving, at) => {
    for (const part of moving.getAnimations({ subtree: true })) {
      if (!(part.effect instanceof KeyframeEffect && part.effect.target?.matches(".door-light"))) {
        part.pause();
        part.currentTime = at;
      }
    }
  }, at);
}
