import type { Knobs, Models, Traits } from "./model.js";

/** One of the back ends of a site: what stands of it in `backends.toml` besides its address, and how its server is. */
export interface BackEndPlan {
  name: string;
  pool?: string;
  models?: string[];
  limit?: number | "auto";
  weight?: number;
  key?: string;
  vision?: boolean;
  tools?: boolean;
  context?: number;
  drain?: boolean;
  /**
   * What its model server begins with. Unless told it has the models and the limit of the plan, so that a request beyond the limit
   * is refused and shows in the record.
   */
  server?: Knobs & Traits;
}

/** What the server of a plan begins with. */
export function knobsOf({ limit, models, server }: BackEndPlan): Knobs & Traits {
  return {
    ...(typeof limit === "number" ? { limit } : {}),
    ...(models === undefined ? {} : { models: models.join(",") }),
    ...server,
  };
}

/** The text of a `backends.toml` with these back ends. */
export function backendsToml(plans: BackEndPlan[], models: Models): string {
  const tables = plans.map(({ server: _, name, ...rest }) => {
    const lines = Object.entries({ name, provider: "openai", url: models.backEnds[name].baseUrl, ...rest })
      .filter(([, value]) => value !== undefined)
      // What JSON writes for texts, numbers, truths and lists is TOML, too.
      .map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
    return `[[backend]]\n${lines.join("\n")}\n`;
  });
  return tables.join("\n");
}
