// The documentation page in a real browser, as somebody who tries the API out: a list is posted with nothing filled
// in by hand, refused without a token and taken with one.
// Usage: node docs.js BINARY SCRATCH
import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { Stage } from "./stage.js";

const [binary, scratch] = process.argv.slice(2);

// Presses Execute and gives the status that the page shows, and what was asked for.
async function execute(page, operation) {
  const [request] = await Promise.all([
    page.waitForRequest((request) => request.method() === "POST"),
    operation.getByRole("button", { name: "Execute" }).click(),
  ]);
  const answer = await request.response();
  const shown = operation.locator(".live-responses-table .response-col_status").last();
  await shown.getByText(String(answer.status())).waitFor();
  return { status: answer.status(), headers: request.headers(), url: request.url(), body: await answer.json() };
}

async function check(browser, stage) {
  const page = await browser.newPage();
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => request.url().startsWith(`${stage.main}/`) || /^(data|blob):/.test(request.url()) || complaints.push(`asked ${request.url()}`));
  await page.goto(`${stage.main}/docs/`);
  const operation = page.locator("#operations-resends-postResend");
  await operation.locator(".opblock-summary").click();
  await operation.getByRole("button", { name: "Try it out" }).click();

  console.log("-- without a token");
  assert.equal((await execute(page, operation)).status, 401);

  console.log("-- with one");
  await page.locator(".auth-wrapper .authorize").first().click();
  const dialog = page.locator(".dialog-ux");
  await dialog.locator("input").fill(stage.tokens.billing);
  await dialog.getByRole("button", { name: /apply credentials|^authorize$/i }).click();
  await dialog.getByRole("button", { name: /^close$/i }).last().click();
  const { status, headers, url, body } = await execute(page, operation);
  assert.ok([200, 207].includes(status), `${status}: ${JSON.stringify(body)}`);
  assert.equal(body.client, "billing");
  for (const name of ["content-encoding", "idempotency-key", "prefer", "x-request-id", "traceparent", "last-event-id"]) {
    assert.equal(headers[name], undefined, name);
  }
  assert.doesNotMatch(url, /force=true|dry_run=true|on_timeout=cancel/);
  assert.deepEqual(complaints, []);
  await page.close();
}

const stage = new Stage(binary, scratch);
let browser;
try {
  await stage.start();
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
  await check(browser, stage);
  console.log("the documentation can be tried out");
} finally {
  await browser?.close();
  await stage.stop();
}
