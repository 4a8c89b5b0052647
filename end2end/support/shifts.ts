import type { BrowserContext, Page } from "@playwright/test";

/** Something that has moved though nobody had touched the page. */
export interface Shift {
  /** How much of the screen has moved, times how far: the browser's own figure. */
  value: number;
  /** What has moved, from where to where: `left,top width×height`. */
  what: string[];
}

/** Has every page of a browser note what moves, from its beginning on. What follows a key or a press within half a second is not noted. */
export async function noteShifts(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    const shifts: Shift[] = [];
    Object.assign(window, { shifts });
    const name = (node: Node | null | undefined) => {
      const element = node instanceof Element ? node : node?.parentElement;
      const where = element?.closest(".header") ? "in the header: " : "";
      return element ? `${where}${element.localName}.${[...element.classList].join(".")}` : "(gone)";
    };
    const place = ({ x, y, width, height }: DOMRectReadOnly) => `${x},${y} ${width}×${height}`;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as (PerformanceEntry & { value: number; hadRecentInput: boolean; sources: { node?: Node; previousRect: DOMRectReadOnly; currentRect: DOMRectReadOnly }[] })[]) {
        if (!entry.hadRecentInput) {
          shifts.push({ value: entry.value, what: entry.sources.map(({ node, previousRect, currentRect }) => `${name(node)}: ${place(previousRect)} → ${place(currentRect)}`) });
        }
      }
    }).observe({ type: "layout-shift", buffered: true });
  });
}

/** What has moved since this was asked last. */
export async function shifts(page: Page): Promise<Shift[]> {
  return page.evaluate(async () => {
    // What is drawn by now is told after the next frame.
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    return (window as unknown as { shifts: Shift[] }).shifts.splice(0);
  });
}

/**
 * Notes where the lower edge of something in the conversation is whenever that has grown or shrunk, for as long as it is there. Returns what gives the places, in pixels,
 * each once.
 */
export async function notePlaces(page: Page, selector: string): Promise<() => Promise<number[]>> {
  await page.evaluate((selector) => {
    const places = new Set<number>();
    Object.assign(window, { places });
    // Begun after the page's own, so it looks at what is drawn once that has scrolled.
    const grown = new ResizeObserver(() => {
      const found = document.querySelector(selector);
      if (found) {
        places.add(Math.round(found.getBoundingClientRect().bottom));
      }
    });
    for (const part of document.querySelectorAll(".log, .log-inside, .turn")) {
      grown.observe(part);
    }
  }, selector);
  return () => page.evaluate(() => [...(window as unknown as { places: Set<number> }).places]);
}
