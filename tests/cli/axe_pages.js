// Opens pages in headless Chromium in many circumstances and prints what axe-core finds, one JSON object a line.
// node axe_pages.js FOLDER_WITH_NODE_MODULES CHROMIUM PAGE…
const [modules, chromium, ...pages] = process.argv.slice(2);
const from = require("module").createRequire(modules + "/package.json");
const puppeteer = from("puppeteer-core");
const axe = require("fs").readFileSync(from.resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "EN-301-549", "best-practice"];
const WAYS = [
  { name: "narrow light", width: 320, scheme: "light" },
  { name: "narrow dark", width: 320, scheme: "dark" },
  { name: "wide light", width: 1400, scheme: "light" },
  { name: "wide dark", width: 1400, scheme: "dark" },
  { name: "forced colours", width: 800, scheme: "light", forced: true },
  { name: "paper", width: 800, scheme: "light", media: "print" },
  { name: "large text", width: 640, scheme: "light", css: "html { font-size: 200% }" },
  {
    name: "spaced text", width: 800, scheme: "light",
    css: "* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }",
  },
];

async function look(browser, file, way) {
  const page = await browser.newPage();
  const requests = [];
  page.on("request", (one) => requests.push(one.url()));
  await page.setBypassCSP(true);
  await page.setViewport({ width: way.width, height: 900 });
  // In one call: the second of two would take back what the first one set.
  const session = await page.createCDPSession();
  const features = [
    { name: "prefers-color-scheme", value: way.scheme },
    { name: "forced-colors", value: way.forced ? "active" : "none" },
  ];
  await session.send("Emulation.setEmulatedMedia", { media: way.media || "screen", features });
  await page.goto("file://" + file);
  if (way.css) await page.addStyleTag({ content: way.css });
  await page.evaluate(axe);
  const isPaper = await page.evaluate(() => matchMedia("print").matches);
  const isForced = await page.evaluate(() => matchMedia("(forced-colors: active)").matches);
  const found = await page.evaluate((tags) => axe.run({ runOnly: tags }), TAGS);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  const stops = [];
  for (let at = 0; at < 40; at++) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => {
      const one = document.activeElement;
      if (one === document.body) return null;
      const style = getComputedStyle(one), box = one.getBoundingClientRect();
      const seen = style.outlineStyle !== "none" || style.boxShadow !== "none";
      return { name: one.tagName, seen, height: box.height, html: one.outerHTML.slice(0, 80) };
    });
    if (!stop) break;
    stops.push(stop);
  }
  await page.close();
  const told = (list) => list.map((one) => [one.id, one.nodes.length, one.nodes[0].html.slice(0, 160)]);
  return {
    file, isPaper, isForced, way: way.name, room: way.width, wide, requests, stops,
    violations: told(found.violations), incomplete: told(found.incomplete),
  };
}

(async () => {
  const browser = await puppeteer.launch({
    executablePath: chromium, headless: "new",
    args: ["--no-sandbox", "--disable-gpu", "--allow-file-access-from-files"],
  });
  for (const file of pages)
    for (const way of WAYS) console.log(JSON.stringify(await look(browser, file, way)));
  await browser.close();
})();
