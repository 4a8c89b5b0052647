import { expect, test } from "@playwright/test";
import { type Server, startAnteroom } from "../support/server.js";

let server: Server;

test.beforeAll(async () => {
  server = await startAnteroom();
});

test.afterAll(async () => {
  await server?.stop();
});

test("the page comes with its style, its script and its WebAssembly", async ({ page }) => {
  const faults: string[] = [];
  page.on("pageerror", (fault) => faults.push(fault.message));
  page.on("response", (response) => {
    if (response.status() >= 400) {
      faults.push(`${response.status()} ${response.url()}`);
    }
  });
  const parts = ["css", "js", "wasm"].map((ending) =>
    page.waitForResponse((response) => new RegExp(`/pkg/anteroom\\.[0-9a-f]{16}\\.${ending}$`).test(response.url())),
  );
  await page.goto(server.url);
  for (const response of await Promise.all(parts)) {
    expect(response.status(), response.url()).toBe(200);
    expect(response.headers()["cache-control"]).toContain("immutable");
  }
  await expect(page).toHaveTitle(/Anteroom/);
  expect(faults).toEqual([]);
});
