// The real binary with its sandbox, for the check of the status page.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export const CLIENTS = ["billing", "onboarding", "support"];
// An operator may write anything; the page must show it and never run it.
export const NOTE = 'fax.plus maintenance until noon <img src="x" onerror="alert(1)">';
const EXPIRES = Math.floor(Date.now() / 1000) + 30 * 86400;

export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((done) => server.once("listening", done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

export async function until(what, condition, seconds = 30) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const found = await condition();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`it never came about: ${what}`);
    await sleep(100);
  }
}

const answers = async (url) => fetch(url).then((answer) => answer.ok, () => false);

export class Stage {
  constructor(binary, scratch) {
    Object.assign(this, { binary, scratch, processes: new Set() });
  }

  async start() {
    const [upstream, main, admin] = [await freePort(), await freePort(), await freePort()];
    this.sandbox = `http://127.0.0.1:${upstream}`;
    this.main = `http://127.0.0.1:${main}`;
    this.admin = `http://127.0.0.1:${admin}`;
    this.tokens = Object.fromEntries(CLIENTS.map((name) => [name, `fxg_${name}-token-of-the-test`]));
    const line = (name) => {
      const hash = createHash("sha256").update(this.tokens[name]).digest("hex");
      return `${name} = { tokens = ["sha256:${hash}"], operator = ${name === "support"} }\n`;
    };
    writeFileSync(`${this.scratch}/clients.toml`, CLIENTS.map(line).join(""));
    this.run(["sandbox", "--listen", `127.0.0.1:${upstream}`, "--latency-ms", "120", "--calls-per-second", "40"], {});
    await until("the sandbox answers", () => answers(this.sandbox));
    await this.startGateway();
  }

  async startGateway() {
    // An access token that is a JWT: its end is known and shown.
    const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const token = `${part({ alg: "none" })}.${part({ exp: EXPIRES })}.x`;
    const setting = (key, value) => [`FAXPLUS_GATEWAY__${key}`, value];
    this.gateway = this.run(["serve"], Object.fromEntries([
      setting("SERVER__LISTEN", this.main.slice(7)), setting("SERVER__ADMIN_LISTEN", this.admin.slice(7)),
      setting("SERVER__DRAIN_DELAY_SECONDS", "0"), setting("SERVER__DRAIN_TIMEOUT_SECONDS", "2"),
      setting("UPSTREAM__BASE_URL", `${this.sandbox}/v3`),
      setting("UPSTREAM__MAX_CALLS_PER_SECOND", "30"), setting("CREDENTIALS__TOKEN", token),
      setting("AUTH__MODE", "tokens"), setting("AUTH__CLIENTS_FILE", `${this.scratch}/clients.toml`),
      setting("STORE__PATH", `${this.scratch}/store.db`), setting("STORE__RESERVE_BYTES", "0"),
    ]));
    await until("the gateway is ready", () => answers(`${this.admin}/readyz`));
  }

  run(words, settings) {
    const child = spawn(this.binary, words, { env: { ...process.env, ...settings }, stdio: ["ignore", "ignore", "inherit"] });
    child.ended = new Promise((done) => child.once("exit", done));
    this.processes.add(child);
    return child;
  }

  async stopGateway() {
    this.gateway.kill("SIGTERM");
    await this.gateway.ended;
  }

  async stop() {
    for (const child of this.processes) child.kill("SIGTERM");
    await Promise.all([...this.processes].map((child) => child.ended));
  }

  async faults(rules) {
    const answer = await fetch(`${this.sandbox}/sandbox/faults`, {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(rules),
    });
    if (!answer.ok) throw new Error(await answer.text());
  }

  async call(client, path, body, headers = {}) {
    const answer = await fetch(`${this.main}${path}`, {
      method: "POST", body: typeof body === "string" ? body : JSON.stringify(body),
      headers: { "content-type": "application/json", authorization: `Bearer ${this.tokens[client]}`, ...headers },
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  // Addresses of which some can't be any, some stand there twice, and fax.plus refuses a few.
  post(client, name, count) {
    const address = (n) => {
      if (n % 40 === 7) return `${name}-nobody-${n}`;
      if (n % 40 === 9) return `${name}${n - 1}@secret.example`;
      return `${name}${n}@${n % 400 === 11 ? "refused" : "secret"}.example`;
    };
    const list = Array.from({ length: count }, (_, n) => address(n));
    return this.call(client, "/v1/resends?results=none", list, { prefer: "respond-async" });
  }

  status() {
    return fetch(`${this.admin}/status`).then((answer) => answer.json());
  }
}
