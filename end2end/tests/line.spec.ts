import type { Page } from "@playwright/test";
import {
  answer,
  composer,
  expectState,
  lastTurn,
  newChat,
  notePositions,
  notedPositions,
  position,
  send,
} from "../support/chat.js";
import { expect, test } from "../support/site.js";

const ORDINALS = ["", "1st", "2nd", "3rd", "4th", "5th", "6th"];

interface Person {
  page: Page;
  question: string;
  place: number;
}

/** The place that a page says, in its figure, its words and its title. */
async function expectPlace({ page, place }: Person): Promise<void> {
  await expect(position(page)).toHaveAttribute("data-position", String(place));
  await expect(position(page)).toContainText(`You are ${ORDINALS[place]} of `);
  await expect(page).toHaveTitle(`${ORDINALS[place]} in line · Anteroom`);
}

test("eight browsers share two slots", async ({ start }) => {
  test.setTimeout(240_000);
  const site = await start({ CHAT_CONCURRENCY_LIMIT: "2" });
  await site.model.set({ hold: true });
  const people: Person[] = [];
  for (let number = 1; number <= 8; number++) {
    const page = await site.person();
    await notePositions(page);
    people.push({ page, question: `question ${number} of eight`, place: 0 });
  }

  await Promise.all(people.map(({ page, question }) => send(page, question)));
  await site.model.until("two requests", (record) => record.now === 2);
  for (const person of people) {
    const shown = lastTurn(person.page).locator("[data-position]");
    await expect(lastTurn(person.page)).toHaveAttribute("data-state", /waiting|running/);
    if ((await lastTurn(person.page).getAttribute("data-state")) === "waiting") {
      person.place = Number(await shown.getAttribute("data-position"));
    }
  }
  const inside = people.filter(({ place }) => place === 0);
  const line = people.filter(({ place }) => place > 0).sort((a, b) => a.place - b.place);
  expect(line.map(({ place }) => place)).toEqual([1, 2, 3, 4, 5, 6]);
  await Promise.all(line.map(expectPlace));
  await Promise.all(inside.map(({ page }) => expect(page).toHaveTitle("Answering… · Anteroom")));

  // The fourth leaves: those behind move up though nobody has finished.
  const [left] = line.splice(3, 1);
  await lastTurn(left.page).getByTestId("cancel").click();
  await expectState(left.page, "cancelled");
  await expect(composer(left.page)).toBeFocused();
  line.forEach((person, index) => {
    person.place = index + 1;
  });
  await Promise.all(line.map(expectPlace));
  expect((await site.model.record()).requests.map(({ ended }) => ended)).toEqual([null, null]);

  // The last one reloads: the place is in the page as it comes, and stays.
  const last = line[4];
  await last.page.reload({ waitUntil: "commit" });
  await expectPlace(last);
  expect(await (await last.page.request.get(last.page.url())).text()).toContain('data-position="5"');

  // One finishes: everybody moves up by one.
  await site.model.release();
  for (const person of line) {
    person.place -= 1;
  }
  await Promise.all(line.slice(1).map(expectPlace));

  await site.model.set({ hold: false });
  for (const { page, question } of [...inside, ...line]) {
    await expectState(page, "done");
    await expect(answer(page)).toContainText(`Answer to: ${question}`);
    await expect(page.getByTestId("turn")).toHaveCount(1);
    await expect(page).toHaveTitle(`${question} · Anteroom`);
  }
  for (const { page } of [...line, left]) {
    const [shown] = await notedPositions(page);
    expect(shown.length).toBeGreaterThan(0);
    expect(shown, "positions only fall").toEqual([...new Set(shown)].sort((a, b) => b - a));
  }
  const record = await site.model.record();
  expect(record.max, "never a third request at once").toBe(2);
  const asked = record.requests.map(({ question }) => question).sort();
  expect(asked).toEqual([...inside, ...line].map(({ question }) => question).sort());
});

test("a browser that sends five messages delays each newcomer by one of them at most", async ({ start }) => {
  test.setTimeout(180_000);
  const site = await start({ CHAT_CONCURRENCY_LIMIT: "1" });
  await site.model.set({ hold: true });
  const first = await site.person();
  await send(first, "already running");
  await expectState(first, "running");

  const busy = await site.person();
  for (let number = 1; number <= 5; number++) {
    if (number > 1) {
      await newChat(busy);
    }
    await send(busy, `burst ${number}`);
    await expect(position(busy)).toHaveAttribute("data-position", String(number));
  }
  await expect(busy.getByTestId("conversation")).toHaveCount(5);

  const newcomers: Page[] = [];
  for (let number = 1; number <= 3; number++) {
    const newcomer = await site.person();
    await send(newcomer, `newcomer ${number}`);
    // Behind one of the burst and the newcomers before.
    await expect(position(newcomer)).toHaveAttribute("data-position", String(number + 1));
    newcomers.push(newcomer);
  }

  await site.model.set({ hold: false });
  for (const [index, newcomer] of newcomers.entries()) {
    await expect(answer(newcomer)).toContainText(`Answer to: newcomer ${index + 1}`);
    await expectState(newcomer, "done");
  }
  await expect(answer(busy)).toContainText("Answer to: burst 5");
  await site.model.until("everybody's end", (record) => record.requests.length === 9 && record.now === 0);
  const record = await site.model.record();
  const order = record.requests.map(({ question }) => question);
  for (let number = 1; number <= 3; number++) {
    const before = order.slice(0, order.indexOf(`newcomer ${number}`));
    const bursts = before.filter((question) => question.startsWith("burst"));
    expect(bursts.length, `before newcomer ${number}: ${order.join(", ")}`).toBeLessThanOrEqual(1);
  }
  expect(record.max).toBe(1);
});
