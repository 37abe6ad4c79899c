import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadSharp } from "../../src/base/sharp.ts";
import { forestChart } from "../../src/report/charts/forest.ts";
import { leaderboardChart } from "../../src/report/charts/leaderboard.ts";
import { renderSvg } from "../../src/report/charts/render-svg.ts";
import { findChromium, howToGetChromium, startChromium } from "../helpers/chromium.ts";
import { madeSummary } from "../helpers/report-input.ts";

const executable = findChromium();
const title = "charts in Chromium";

describe.skipIf(executable === undefined)(
  executable === undefined ? `${title}, skipped: ${howToGetChromium}` : title,
  () => {
    let browser: Browser;

    beforeAll(async () => {
      browser = await startChromium(executable ?? "");
    });
    afterAll(() => browser?.close());

    const summary = madeSummary([
      { label: "token", acc: [0.7, 0.72] },
      { label: "film", acc: [0.5, 0.52] },
    ]);

    test.each([
      ["light", [255, 255, 255]],
      ["dark", [13, 17, 23]],
    ] as const)("an image on a %s page has that background", async (colorScheme, background) => {
      const svg = await renderSvg(leaderboardChart(summary), "leaderboard");
      const url = `data:image/svg+xml;base64,${Buffer.from(svg).toString("base64")}`;
      const page = await browser.newPage({ colorScheme });
      await page.setContent(`<meta name="color-scheme" content="light dark"><img src="${url}">`);
      const png = await page.locator("img").screenshot();
      const sharp = await loadSharp();
      const corner = sharp(png).extract({ left: 4, top: 4, width: 1, height: 1 }).removeAlpha();
      expect([...(await corner.raw().toBuffer())]).toEqual(background);
      await page.close();
    });

    test("two charts in one page are each recolored, and nothing else is", async () => {
      const differences = forestChart(summary);
      if (differences === undefined) throw new Error("expected a chart");
      const charts = await Promise.all([
        renderSvg(leaderboardChart(summary), "leaderboard"),
        renderSvg(differences, "differences"),
      ]);
      const page = await browser.newPage({ colorScheme: "dark" });
      await page.setContent(`${charts.join("")}<svg class="other"><rect fill="#ffffff"/></svg>`);
      const fills = await page.evaluate(
        "[...document.querySelectorAll('svg > rect')].map((rect) => getComputedStyle(rect).fill)",
      );
      expect(fills).toEqual(["rgb(13, 17, 23)", "rgb(13, 17, 23)", "rgb(255, 255, 255)"]);
      await page.close();
    });
  },
);
