// The status page in a real browser, in five states: its words, its manners, and a picture of each.
// Usage: node check.js BINARY SCRATCH PICTURES
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium } from "playwright-core";
import { CLIENTS, NOTE, Stage, until } from "./stage.js";

const [binary, scratch, pictures] = process.argv.slice(2);
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const LOOKS = [
  { name: "light", width: 1100, colorScheme: "light" },
  { name: "dark", width: 1100, colorScheme: "dark" },
  { name: "phone", width: 320, colorScheme: "light" },
  { name: "phone-dark", width: 320, colorScheme: "dark" },
];
const REFUSED = { address: "*@refused.example", fate: "status", status: 422, error: "not_found" };

// Opens the page and notes whatever a browser complains of.
async function open(browser, stage, look) {
  const context = await browser.newContext({
    viewport: { width: look.width, height: 900 }, colorScheme: look.colorScheme, locale: "en-GB",
  });
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("dialog", (dialog) => complaints.push(`dialog: ${dialog.message()}`));
  page.on("request", (request) => request.url().startsWith(`${stage.admin}/`) || request.url() === "data:," || complaints.push(`asked ${request.url()}`));
  await page.goto(`${stage.admin}/`);
  await page.getByText("Live", { exact: true }).waitFor();
  return { look, context, page, complaints };
}

async function judge({ look, page, complaints }, state, words) {
  const what = `${state}, ${look.name}`;
  for (const word of words) {
    await page.getByText(word).first().waitFor({ timeout: 10_000 }).catch(() => assert.fail(`${what}: no "${word}"`));
  }
  const text = await page.evaluate(() => document.documentElement.outerHTML);
  assert.ok(!text.includes("secret.example") && !text.includes("refused.example"), `${what}: an address is on the page`);
  const { scroll, client } = await page.evaluate(() => ({
    scroll: document.documentElement.scrollWidth, client: document.documentElement.clientWidth,
  }));
  assert.ok(scroll <= client, `${what}: scrolls sideways, ${scroll} > ${client}`);
  await page.evaluate(AXE);
  const found = await page.evaluate(() => globalThis.axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"] }));
  const violations = found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(" ")}`);
  assert.deepEqual(violations, [], what);
  assert.deepEqual(complaints, [], what);
  await page.screenshot({ path: `${pictures}/${state}-${look.name}.png`, fullPage: true });
}

async function inState(browser, stage, state, heading, words) {
  console.log(`-- ${state}`);
  const colours = {};
  for (const look of LOOKS) {
    const opened = await open(browser, stage, look);
    await judge(opened, state, [heading, ...words]);
    assert.equal(await opened.page.locator("h1").textContent(), heading);
    colours[look.name] = await opened.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await opened.context.close();
  }
  assert.notEqual(colours.light, colours.dark, `${state}: dark looks like light`);
}

// By keyboard the first stop leads past the head of the page.
async function checkKeyboard(browser, stage) {
  const { page, context } = await open(browser, stage, LOOKS[0]);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the status");
  await page.keyboard.press("Enter");
  await until("the focus is in the main part", () => page.evaluate(() => document.activeElement.id === "main"));
  await context.close();
}

// A hidden page hears nothing and does not go on saying that all is well.
async function checkHidden(browser, stage) {
  const { page, context } = await open(browser, stage, LOOKS[0]);
  assert.equal(await page.title(), "All is well – faxplus-gateway");
  const hide = (hidden) => page.evaluate((value) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => value });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
  await hide(true);
  assert.equal(await page.title(), "faxplus-gateway");
  await hide(false);
  await until("the title is back", async () => (await page.title()) === "All is well – faxplus-gateway");
  await context.close();
}

// With large text on a narrow phone no word breaks inside, and the bars of all rows are alike.
async function checkSizes(browser, stage) {
  const phone = await open(browser, stage, LOOKS[2]);
  await phone.page.evaluate(() => { document.documentElement.style.fontSize = "200%"; });
  const broken = await phone.page.evaluate(() => {
    const found = [];
    for (const element of document.querySelectorAll(".tiles dt, .tiles dd:nth-of-type(1), h1, h2, h3, h3 > span, figcaption span, .bars span, .bars b")) {
      const text = element.firstChild;
      for (const word of text?.data?.matchAll(/\S+/g) ?? []) {
        const range = document.createRange();
        range.setStart(text, word.index);
        range.setEnd(text, word.index + word[0].length);
        if (range.getClientRects().length > 1) found.push(word[0]);
      }
    }
    return found;
  });
  assert.deepEqual(broken, [], "words break inside");
  await phone.page.screenshot({ path: `${pictures}/busy-phone-large.png`, fullPage: true });
  await phone.context.close();

  const { page, context } = await open(browser, stage, LOOKS[0]);
  const bars = await page.locator("#outcomes progress").evaluateAll((all) => all.map((bar) => {
    const { left, right, width } = bar.getBoundingClientRect();
    return { left, right, drawn: (width * bar.value) / bar.max, count: bar.nextElementSibling.textContent };
  }));
  assert.equal(new Set(bars.map((bar) => `${bar.left} ${bar.right}`)).size, 1, JSON.stringify(bars));
  assert.ok(bars.every((bar) => (bar.count === "0" ? bar.drawn === 0 : bar.drawn > 2.9)), JSON.stringify(bars));
  await context.close();
}

// While the gateway is away the page says so, and it comes back by itself.
async function checkConnection(browser, stage) {
  console.log("-- away and back");
  const { page, context } = await open(browser, stage, LOOKS[0]);
  await stage.stopGateway();
  await page.getByText("No connection.").waitFor({ timeout: 15_000 });
  await page.screenshot({ path: `${pictures}/away-light.png`, fullPage: true });
  await stage.startGateway();
  await page.getByText("Live", { exact: true }).waitFor({ timeout: 20_000 });
  assert.equal(await page.locator("h1").textContent(), "Paused by an operator", "a pause outlasts a restart");
  await context.close();
}

async function run(browser, stage) {
  await inState(browser, stage, "empty", "All is well", ["There is no work", "nothing settled since the start", "no calls now", "None runs.", "Nothing waits.", "the store works"]);
  await checkKeyboard(browser, stage);
  await checkHidden(browser, stage);

  await stage.faults([REFUSED]);
  for (const [at, client] of CLIENTS.entries()) await stage.post(client, client, 60_000 >> at);
  await stage.post("billing", "more", 12_000);
  await until("some samples are taken", async () => (await stage.status()).history.samples.length >= 8, 90);
  await inState(browser, stage, "busy", "All is well", ["Lists are being sent.", ...CLIENTS, "Closed"]);
  await checkSizes(browser, stage);
  const bars = await stage.status();
  assert.ok(bars.resends.length >= 2 && bars.resends.every((resend) => resend.counts.received > 0));

  const watcher = await open(browser, stage, LOOKS[0]);
  await sleep(5000);
  assert.equal(await watcher.page.locator("#announce").textContent(), "", "nothing is said aloud without a change");
  await stage.faults([{ fate: "token_expired" }, { target: "probe", fate: "token_expired" }]);
  await until("it is held", async () => (await stage.status()).health.state === "held");
  const said = () => watcher.page.locator("#announce").textContent();
  await until("it is said aloud", async () => (await said()).startsWith("Work is held. fax.plus refuses the access token"));
  await watcher.context.close();
  await inState(browser, stage, "held", "Work is held", ["fax.plus refuses the access token", "credentials_rejected", "safe and wait", "at the earliest"]);

  await stage.faults([REFUSED]);
  await until("it goes on", async () => (await stage.status()).health.state === "working", 60);
  await stage.faults([{ fate: "status", status: 500 }, { target: "probe", fate: "status", status: 500 }]);
  await until("upstream is down", async () => (await stage.status()).upstream.breaker === "open", 90);
  await sleep(1500);
  await inState(browser, stage, "down", "Work is held", ["fax.plus answers with errors", "upstream_unavailable", "at the earliest"]);

  await stage.faults([REFUSED]);
  await stage.call("support", "/v1/operator/pause", { note: NOTE });
  await until("it is paused", async () => (await stage.status()).health.state === "paused");
  await inState(browser, stage, "paused", "Paused by an operator", [NOTE, "nobody knows the end while paused"]);
  await checkConnection(browser, stage);
}

mkdirSync(pictures, { recursive: true });
const stage = new Stage(binary, scratch);
let browser;
try {
  await stage.start();
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
  await run(browser, stage);
} finally {
  await browser?.close();
  await stage.stop();
}
console.log("-- the page holds in all states");
