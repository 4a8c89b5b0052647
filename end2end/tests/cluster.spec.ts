import type { Page } from "@playwright/test";
import { answer, composer, expectState, newChat, notePositions, notedPositions, position, send, words } from "../support/chat.js";
import { type Cluster, awake, expect, test } from "../support/cluster.js";
import { comesBack, noteAll, noted } from "../support/noting.js";
import type { Server } from "../support/server.js";

// Three nodes, their database and nginx have to come up in each of these.
test.setTimeout(240_000);

/** Somebody whose page notes what it shows, and where they are at home. */
async function person(cluster: Cluster): Promise<{ page: Page; home: Server }> {
  const { page, home } = await cluster.personAtHome();
  await noteAll(page);
  await notePositions(page);
  return { page, home };
}

/** Somebody who is not at home on this node. */
async function personElsewhere(cluster: Cluster, node: Server, others: number): Promise<Page> {
  for (;;) {
    const { page, home } = await person(cluster);
    if (home !== node) {
      return page;
    }
    await page.context().close();
    await cluster.allConnected(others);
  }
}

/** What the loopback model server says to a question, as a person reads it. */
function whole(question: string, tokens: number): string {
  const numbered = Array.from({ length: tokens - 1 }, (_, index) => `word${index + 1}`);
  return [`Answer to: ${question}`, ...numbered].join(" ");
}

/** Looks that no complaint was ever shown, but for those of a connection that was away for a moment. */
async function expectNoFault(page: Page): Promise<void> {
  const { complaints } = await noted(page);
  expect(complaints.filter((text) => !text.startsWith("offline"))).toEqual([]);
}

/** Looks that no answer ever began twice on the page. */
async function expectNoRepeat(page: Page): Promise<void> {
  const { beginnings } = await noted(page);
  expect(Math.max(...Object.values(beginnings))).toBe(1);
}

test("who waits keeps their place while node after node is killed, and is answered once", async ({ startCluster }) => {
  const cluster = await startCluster({ CHAT_CONCURRENCY_LIMIT: "1", QUEUE_ABANDON_AFTER: "none" });
  await cluster.model.set({ hold: true });
  const { page: running } = await person(cluster);
  await send(running, "holds the slot");
  await expectState(running, "running");
  const { page: first, home } = await person(cluster);
  const { page: second } = await person(cluster);
  await send(first, "waits first");
  await send(second, "waits second");
  await expect(position(first)).toHaveAttribute("data-position", "1");
  await expect(position(second)).toHaveAttribute("data-position", "2");

  // First where the first of them is at home, then the others: so also where the other one is, and who is answered.
  for (const node of [home, ...cluster.nodes.filter((node) => node !== home)]) {
    const back = comesBack(first);
    await node.kill();
    if (node === home) {
      await back;
    }
    await cluster.allConnected(3);
    for (const [page, place] of [[first, "1"], [second, "2"]] as const) {
      await expect(page.getByTestId("offline")).toBeHidden();
      await expect(position(page)).toHaveAttribute("data-position", place);
    }
    await first.reload({ waitUntil: "commit" });
    await expect(position(first)).toHaveAttribute("data-position", "1");
    await awake(first);
    await node.restart();
  }
  // What ran on one of them runs again, and nobody has overtaken it.
  await expectState(running, "running");
  await expect(answer(running)).toContainText("Answer to: holds the slot");

  await cluster.model.set({ hold: false });
  for (const [page, question] of [[running, "holds the slot"], [first, "waits first"], [second, "waits second"]] as const) {
    await expectState(page, "done");
    expect(await words(answer(page))).toBe(whole(question, 10));
    await expect(page.getByTestId("turn")).toHaveCount(1);
    await expectNoFault(page);
    await expectNoRepeat(page);
  }
  expect(await notedPositions(first)).toEqual([[1]]);
  // The first answer may be too short for the second one's step to be seen.
  expect([[[2]], [[2, 1]]]).toContainEqual(await notedPositions(second));
  const asked = (await cluster.model.record()).requests.map(({ question }) => question);
  expect(asked.filter((question) => question !== "holds the slot")).toEqual(["waits first", "waits second"]);
});

test("an answer whose home is killed in the middle is there once, and others go on", async ({ startCluster }) => {
  const cluster = await startCluster({ CHAT_CONCURRENCY_LIMIT: "2" });
  const { page, home } = await person(cluster);
  const other = await personElsewhere(cluster, home, 1);
  await send(page, "[[tokens=60 pace=10ms gate=middle after=30]] a long story");
  await send(other, "[[tokens=40 gate=other after=20]] another story");
  await expect(answer(page)).toContainText("word29");
  await expect(answer(other)).toContainText("word19");
  await composer(page).fill("typed meanwhile");

  const back = comesBack(page);
  await home.kill();
  await cluster.model.open("other");
  await expectState(other, "done");
  expect(await words(answer(other))).toBe(whole("another story", 40));
  await send(other, "goes on");
  await expect(answer(other)).toContainText("Answer to: goes on");
  await expectState(other, "done");

  await back;
  await expect(page.getByTestId("offline")).toBeHidden();
  await cluster.model.until("the answer to begin again", ({ requests }) => asked(requests, "a long story").length === 2);
  await expect(answer(page)).toContainText("word29");
  expect(await words(answer(page))).toBe(whole("a long story", 30));
  await expect(composer(page)).toHaveValue("typed meanwhile");
  await cluster.model.open("middle");
  await expectState(page, "done");
  expect(await words(answer(page))).toBe(whole("a long story", 60));
  await expect(page.getByTestId("turn")).toHaveCount(1);
  await home.restart();
  await page.reload();
  await awake(page);
  expect(await words(answer(page))).toBe(whole("a long story", 60));
  await expect(composer(page)).toHaveValue("typed meanwhile");
  await composer(page).press("Enter");
  await expect(page.getByTestId("turn")).toHaveCount(2);
  await expect(answer(page)).toContainText("Answer to: typed meanwhile");
  await expectState(page, "done");

  for (const one of [page, other]) {
    await expect(one.locator(".notice")).toHaveCount(0);
    await expectNoFault(one);
    await expectNoRepeat(one);
  }
  const { requests } = await cluster.model.record();
  expect(asked(requests, "a long story").map(({ ending }) => ending)).toEqual(["client_gone", "complete"]);
  for (const question of ["another story", "goes on", "typed meanwhile"]) {
    expect(asked(requests, question)).toHaveLength(1);
  }
});

function asked<Request extends { question: string }>(requests: Request[], question: string): Request[] {
  return requests.filter((request) => request.question === question);
}

test("a restart of node after node while people chat shows nobody an error, and loses no draft", async ({ startCluster }) => {
  const cluster = await startCluster({ CHAT_CONCURRENCY_LIMIT: "2" });
  await cluster.model.set({ pace: "20ms" });
  const people: { name: string; chats: Page; drafts: Page }[] = [];
  for (const name of ["one", "two"]) {
    const { page: chats } = await person(cluster);
    // Another page of the same browser, on which a draft lies.
    const drafts = await chats.context().newPage();
    await drafts.goto(cluster.url);
    await awake(drafts);
    await noteAll(drafts);
    await send(drafts, `${name} begins`);
    await expectState(drafts, "done");
    await composer(drafts).fill(`${name}: a draft`);
    people.push({ name, chats, drafts });
  }

  let isRolling = true;
  const chat = async (name: string, page: Page) => {
    let sent = 0;
    const next = () => `${name} ${sent + 1}`;
    await composer(page).fill(next());
    while (isRolling) {
      await composer(page).press("Enter");
      sent += 1;
      await expect(page.getByTestId("turn")).toHaveCount(sent);
      // What is typed while an answer is written is there when it has been.
      await composer(page).fill(next());
      await expectState(page, "done");
      expect(await words(answer(page))).toBe(whole(`${name} ${sent}`, 10));
      if (sent % 3 === 0) {
        await page.reload();
        await awake(page);
        await expect(page.getByTestId("turn")).toHaveCount(sent);
      }
      await expect(composer(page)).toHaveValue(next());
    }
    return sent;
  };
  const chatting = people.map(({ name, chats }) => chat(name, chats));
  for (const node of cluster.nodes) {
    await node.restart();
  }
  isRolling = false;
  const sent = await Promise.all(chatting);

  const { requests } = await cluster.model.record();
  for (const [index, { name, chats, drafts }] of people.entries()) {
    for (const [which, page] of Object.entries({ chats, drafts })) {
      expect((await noted(page)).complaints, `${name}: ${which}`).toEqual([]);
      await expectNoRepeat(page);
    }
    await expect(composer(drafts)).toHaveValue(`${name}: a draft`);
    await drafts.reload();
    await awake(drafts);
    await expect(composer(drafts)).toHaveValue(`${name}: a draft`);
    await newChat(drafts);
    await expect(drafts.getByTestId("conversation")).toHaveCount(2);
    for (let number = 1; number <= sent[index]; number++) {
      expect(asked(requests, `${name} ${number}`)).toHaveLength(1);
    }
  }
});
