import { defineConfig, devices } from "@playwright/test";

// `cargo xtask test` finds or installs a Chromium and names it here; without it Playwright takes its own.
const executablePath = process.env.CHROMIUM;

export default defineConfig({
  testDir: "tests",
  // A test that passes only the second time has found something.
  retries: 0,
  forbidOnly: Boolean(process.env.CI),
  // Tests start servers of their own and several browsers each; two at a time would only slow each other down.
  workers: 1,
  timeout: 120_000,
  expect: { timeout: 30_000 },
  reporter: [["list"], ["html", { open: "never" }]],
  use: {
    // Tests answer in the server's place, and what a service worker asks for would go past them. Its own tests allow it.
    serviceWorkers: "block",
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
  },
  projects: [
    {
      name: "chromium",
      use: {
        ...devices["Desktop Chrome"],
        launchOptions: {
          executablePath,
          args: [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
          ],
        },
      },
    },
  ],
});
