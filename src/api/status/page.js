// The status page: listens to status/events and shows what comes. Text of others is only ever set as textContent.
"use strict";

const STALE_AFTER_MS = 6000;
const AGAIN_AFTER_MS = 3000;
const SETTLED_MS = 2500;
const LEAST_SPAN_MS = 2 * 60 * 1000;
// In pixels.
const LEAST_BAR = 3;
const MOST_SPAN_MS = 15 * 60 * 1000;
const NAME = "faxplus-gateway";
const SVG = "http://www.w3.org/2000/svg";

const STATES = {
  idle: ["good", "All is well", "There is no work; new lists are taken."],
  working: ["good", "All is well", "Lists are being sent."],
  slowed: ["good", "All is well, at the pace of fax.plus", "fax.plus asks for fewer calls; the gateway goes by that."],
  attention: ["wait", "Works, but needs a look", ""],
  held: ["bad", "Work is held", ""],
  paused: ["wait", "Paused by an operator", ""],
  unready: ["bad", "Not ready", ""],
};
const SIGNS = { good: "M7.5 12.5l3 3 6-7", wait: "M12 7v6M12 16.5v.1", bad: "M8.5 8.5l7 7M15.5 8.5l-7 7" };
const OUTCOMES = [
  ["sent", "sent", ""], ["duplicate", "duplicate", ""], ["invalid", "invalid", "wait"],
  ["rejected", "rejected", "bad"], ["not_sent", "not sent", "bad"], ["unknown", "unknown", "bad"],
];
const BREAKER = {
  closed: ["Closed", "calls go through", ""],
  half_open: ["Half open", "one call tries", "wait"],
  open: ["Open", "no call goes through for now", "bad"],
};
const CHECKS = {
  "started": ["started", "not yet started"],
  "not draining": ["not ending", "ending: nothing new is taken"],
  "store": ["the store works", "the store fails"],
};

const byId = (id) => document.getElementById(id);
const whole = new Intl.NumberFormat("en");
const tenths = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });

let source = null;
let samples = [];
let latest = null;
let lastNews = 0;
let openedAt = 0;
let aheadMs = 0;
let announced = "";
let pending = { text: "", since: 0 };

// Writes only what changed, so that a reader's place and selection stay.
function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function make(name, className, text) {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function plural(count, one, many) {
  return `${whole.format(count)} ${count === 1 ? one : many}`;
}

function rate(value) {
  return value >= 100 ? whole.format(Math.round(value)) : tenths.format(value);
}

function span(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 90) return `${seconds}\u00a0s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)}\u00a0min`;
  if (seconds < 36 * 3600) return `${tenths.format(seconds / 3600)}\u00a0h`;
  return `${Math.round(seconds / 86400)}\u00a0days`;
}

function ago(text) {
  const ms = now() - Date.parse(text);
  return ms < 2000 ? "just now" : `${span(ms)} ago`;
}

function bytes(count) {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let step = 0;
  while (count >= 1024 && step < units.length - 1) {
    count /= 1024;
    step += 1;
  }
  return `${tenths.format(count)}\u00a0${units[step]}`;
}

// A hidden page hears nothing, so it says nothing.
function entitle(text) {
  document.title = document.hidden || !text ? NAME : `${text} – ${NAME}`;
}

// The gateway's clock, not the reader's, decides how long ago something was.
const now = () => Date.now() + aheadMs;
const when = (text) => Date.parse(text);

function moment(text) {
  const at = new Date(text);
  return Math.abs(at - now()) < 12 * 3600 * 1000 ? clock.format(at) : day.format(at);
}

function fill(list, wanted, build, update) {
  while (list.children.length > wanted.length) list.lastElementChild.remove();
  wanted.forEach((item, at) => {
    if (!list.children[at]) list.append(build());
    update(list.children[at], item);
  });
}

function showHealth(status) {
  const { health, queue } = status;
  const [tone, title, lead] = STATES[health.state] || ["wait", health.state, ""];
  byId("health").className = `card health ${tone}`;
  byId("sign").setAttribute("d", SIGNS[tone]);
  say(byId("state"), title);
  const safe = `${plural(queue.addresses, "address is", "addresses are")} safe and ${queue.addresses === 1 ? "waits" : "wait"}.`;
  const isHeld = health.state === "held" || health.state === "paused";
  const none = health.state === "paused" ? "Nothing waits; lists are taken and wait." : "Nothing waits.";
  say(byId("lead"), isHeld ? (queue.addresses > 0 ? safe : none) : lead);
  const reasons = health.holds.map((hold) => ({
    text: sentence(hold.detail),
    more: `${hold.reason} since ${moment(hold.since)}, ${span(now() - when(hold.since))}. ${next(hold, health.state)}`,
  }));
  reasons.push(...health.words.map((words) => ({ text: sentence(words), more: "" })));
  fill(byId("reasons"), reasons, () => {
    const item = make("li");
    item.append(make("span"), make("span", "quiet"));
    return item;
  }, (item, reason) => {
    say(item.children[0], reason.text);
    say(item.children[1], reason.more);
  });
  const told = [title, ...health.holds.map((hold) => sentence(hold.detail)), ...health.words.map(sentence)].join(". ");
  announce(told);
  entitle(title);
}

function next(hold, state) {
  if (!hold.next_attempt_at) return "Waits for a person.";
  if (state === "paused") return "Is tried again once the gateway is resumed.";
  const left = when(hold.next_attempt_at) - now();
  return left < 1000 ? "Is tried again now." : `Next attempt at ${moment(hold.next_attempt_at)}, in ${span(left)}.`;
}

// As a sentence, with numbers of addresses and bytes written as elsewhere on the page.
function sentence(words) {
  const told = words.replace(/\b\d{4,}(?= (?:address|bytes))/g, (number) => whole.format(Number(number)));
  return told.startsWith("fax.plus") ? told : told.charAt(0).toUpperCase() + told.slice(1);
}

// Said aloud only once a state has lasted a moment: one that flickers would drown the rest.
function announce(text) {
  if (text !== pending.text) pending = { text, since: Date.now() };
  if (announced !== pending.text && Date.now() - pending.since >= SETTLED_MS) {
    if (announced) say(byId("announce"), pending.text);
    announced = pending.text;
  }
}

function tile(name, value, more, tone) {
  say(byId(name), value);
  say(byId(`${name}-more`), more);
  byId(name).parentElement.className = `card ${tone || ""}`.trim();
}

function showTiles(status) {
  const { queue, upstream, credential, store, readiness } = status;
  const { sent } = totals(status);
  const settled = ended(totals(status));
  tile("sent", whole.format(sent), settled ? `of ${whole.format(settled)} settled ${lately(status)}` : `nothing settled ${lately(status)}`);
  tile("waiting", whole.format(queue.addresses),
    queue.resends ? `in ${plural(queue.resends, "resend", "resends")}, the oldest for ${span(queue.oldest_seconds * 1000)}` : "no resend runs");
  tile("pace", `${rate(upstream.rate)} calls/s`,
    upstream.ceiling === null ? "learned; no ceiling is set" : `learned; the ceiling is ${rate(upstream.ceiling)}`);
  tile("flight", whole.format(upstream.calls_in_flight),
    upstream.last_success_at ? `last accepted ${ago(upstream.last_success_at)}` : "none accepted yet");
  tile("breaker", ...(BREAKER[upstream.breaker] || [upstream.breaker, "", "wait"]));
  showCredential(credential);
  const free = store.free_bytes === null ? "" : `, ${bytes(store.free_bytes)} free`;
  tile("store", store.trouble ? "In trouble" : bytes(store.bytes),
    store.trouble ? sentence(store.trouble) : (store.kind === "file" ? `in a file${free}` : "in memory; a restart forgets it"), store.trouble ? "bad" : "");
  const failed = readiness.checks.filter((check) => !check.ok);
  tile("ready", readiness.ready ? "Ready" : sentence(readiness.word),
    (failed.length ? failed : readiness.checks).map(checked).join(", "),
    readiness.ready ? "" : "bad");
}

function checked({ name, ok, detail }) {
  const [holds, fails] = CHECKS[name] || [name, `not: ${name}`];
  return ok ? holds : detail || fails;
}

function showCredential({ valid, expires_at, ends_soon }) {
  if (!expires_at) return tile("credential", valid ? "Valid" : "Refused", "its end is not known", valid ? "" : "bad");
  const left = when(expires_at) - now();
  const end = left > 0 ? `ends in ${span(left)}, ${moment(expires_at)}` : `ended ${span(-left)} ago`;
  if (!valid) return tile("credential", "Refused", end, "bad");
  if (left <= 0) return tile("credential", "Ended", end, "wait");
  return tile("credential", ends_soon ? "Ends soon" : "Valid", end, ends_soon ? "wait" : "");
}

function showBars(list, none, rows) {
  byId(none).hidden = rows.length > 0;
  const most = Math.max(1, ...rows.map((row) => row.count));
  // What there is is seen, however little beside the most.
  const shown = (bar, count) => (count > 0 ? Math.max(count, (LEAST_BAR * most) / Math.max(1, bar.clientWidth)) : 0);
  fill(byId(list), rows, () => {
    const row = make("div");
    row.setAttribute("role", "listitem");
    const bar = make("progress");
    bar.setAttribute("aria-hidden", "true");
    row.append(make("span"), bar, make("b"));
    return row;
  }, (row, { name, count, tone }) => {
    row.className = tone || "";
    say(row.children[0], name);
    row.children[1].max = most;
    row.children[1].value = shown(row.children[1], count);
    say(row.children[2], whole.format(count));
  });
}

function showResends(status) {
  const shown = status.resends.map((resend) => ({ resend }));
  if (status.more_resends > 0) shown.push({ more: status.more_resends });
  byId("resends-none").hidden = shown.length > 0;
  fill(byId("resends"), shown, () => make("li", "card"), (item, { resend, more }) => {
    const kind = resend ? "one" : "more";
    if (item.dataset.kind !== kind) {
      item.dataset.kind = kind;
      item.className = resend ? "card" : "card more quiet";
      item.replaceChildren(...(resend ? partsOfResend() : []));
    }
    if (resend) showResend(item, resend, status.health.state === "held");
    else say(item, `and ${whole.format(more)} more`);
  });
}

function partsOfResend() {
  const title = make("h3");
  title.append(make("span"), make("code"));
  const facts = make("p", "facts quiet");
  facts.append(make("span"), make("span"));
  return [title, make("progress"), facts];
}

function showResend(item, resend, held) {
  const { counts } = resend;
  const done = counts.received - counts.pending;
  const percent = counts.received ? Math.floor((100 * done) / counts.received) : 0;
  const [title, bar, facts] = item.children;
  say(title.children[0], `${resend.client}, ${resend.status}, ${percent} %`);
  say(title.children[1], resend.id);
  bar.max = Math.max(1, counts.received);
  bar.value = done;
  bar.setAttribute("aria-label", `Progress of resend ${resend.id}`);
  bar.setAttribute("aria-valuetext", `${percent} %`);
  const others = OUTCOMES.filter(([key]) => counts[key] > 0).map(([key, name]) => `${whole.format(counts[key])} ${name}`);
  say(facts.children[0], [`${whole.format(done)} of ${whole.format(counts.received)}`, ...others].join(" · "));
  const end = resend.estimated_finish_at;
  say(facts.children[1], !end ? "nobody knows the end while paused"
    : held ? `ends at ${moment(end)} at the earliest`
    : `ends about ${moment(end)}, in ${span(when(end) - now())}`);
}

function draw(name, { line, second, bound, unit, figure, told }) {
  const plot = document.querySelector(`[data-plot="${name}"]`);
  const svg = plot.querySelector("svg");
  const to = now();
  const first = samples.length ? when(samples[0].at) : to;
  const width = Math.min(MOST_SPAN_MS, Math.max(LEAST_SPAN_MS, to - first));
  const seen = [...line, ...(second || []), bound].filter((value) => value !== null && value !== undefined);
  const most = Math.max(...seen, 0) * 1.1 || 1;
  const x = (at) => (300 * (1 - (to - at) / width)).toFixed(1);
  const y = (value) => (79 - (77 * value) / most).toFixed(1);
  const shapes = [];
  for (const part of parts(line)) {
    const points = part.map(([at, value]) => `${x(at)} ${y(value)}`);
    shapes.push(["area", `M${x(part[0][0])} 80L${points.join("L")}L${x(part[part.length - 1][0])} 80Z`], ["line", `M${points.join("L")}${part.length === 1 ? "h.1" : ""}`]);
  }
  for (const part of second && Math.max(...second) > 0 ? parts(second) : []) {
    shapes.push(["second", `M${part.map(([at, value]) => `${x(at)} ${y(value)}`).join("L")}`]);
  }
  if (bound) shapes.push(["bound", `M0 ${y(bound)}H300`]);
  svg.replaceChildren(...shapes.map(([className, d]) => {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("class", className);
    path.setAttribute("d", d);
    return path;
  }));
  say(plot.querySelector(".figure"), figure);
  say(plot.querySelector(".from"), `${span(width)} ago`);
  say(plot.querySelector(".told"), told);
  svg.setAttribute("aria-label", `${name}, ${unit}: ${figure}; ${told}`);
}

// Runs of values without a gap: what was not measured is not drawn.
function parts(values) {
  const found = [];
  let part = [];
  values.forEach((value, at) => {
    if (value === null) {
      part = [];
      return;
    }
    if (part.length === 0) found.push(part);
    part.push([when(samples[at].at), value]);
  });
  return found;
}

const sum = (values) => values.reduce((all, value) => all + value, 0);

// What the samples hold, and what happened since the newest of them: it agrees with the counters of the same event.
function totals({ since_sample: since }) {
  return Object.fromEntries(OUTCOMES.map(([key]) => [key, sum(samples.map((sample) => sample[key])) + since[key]]));
}

// Of which time the totals are.
function lately({ started_at }) {
  const age = now() - when(started_at);
  return age < MOST_SPAN_MS ? `since the start, ${span(age)} ago` : "in 15\u00a0min";
}

const ended = (sample) => sum(OUTCOMES.map(([key]) => sample[key]));

function showPlots(status) {
  const through = samples.map((sample) => ended(sample) / sample.seconds);
  const failed = samples.map((sample) => (sample.rejected + sample.not_sent + sample.unknown) / sample.seconds);
  const most = Math.max(0, ...through);
  draw("throughput", {
    line: through, second: failed, unit: "addresses a second", figure: `${rate(through.at(-1) || 0)} addresses/s`,
    told: `at most ${rate(most)}; ${Math.max(0, ...failed) > 0 ? "dotted: rejected, not sent, unknown" : "none failed"}`,
  });
  const paces = samples.map((sample) => sample.rate);
  const { ceiling } = status.upstream;
  draw("pace", {
    line: paces, bound: ceiling, unit: "calls a second", figure: `${rate(status.upstream.rate)} calls/s`,
    told: ceiling === null ? "learned rate; no ceiling is set" : `learned rate; dashed: the ceiling of ${rate(ceiling)}`,
  });
  const latencies = samples.map((sample) => sample.latency_ms);
  const known = latencies.filter((value) => value !== null);
  draw("latency", {
    line: latencies, unit: "milliseconds", figure: latency(latencies.at(-1), status.upstream),
    told: known.length ? `mean of 5 s; at most ${rate(Math.max(...known))} ms` : "no call was made yet",
  });
  const counts = totals(status);
  const rows = OUTCOMES.map(([key, name, tone]) => ({ name, tone, count: counts[key] }));
  say(byId("outcomes-none"), `No address came to its end ${lately(status)}.`);
  showBars("outcomes", "outcomes-none", rows.some((row) => row.count > 0) ? rows : []);
}

// Of the newest sample: an older one says nothing about now.
function latency(newest, { calls_in_flight }) {
  if (newest !== null && newest !== undefined) return `${rate(newest)} ms`;
  return calls_in_flight > 0 ? "no answer lately" : "no calls now";
}

function show(status) {
  latest = status;
  lastNews = Date.now();
  aheadMs = when(status.time) - lastNews;
  if (status.history) {
    const fresh = status.history.samples;
    samples = samples.concat(fresh).slice(-status.history.most_samples);
  }
  say(byId("version"), status.version);
  byId("sandbox").hidden = !status.sandbox;
  showHealth(status);
  showTiles(status);
  showPlots(status);
  const clients = status.queue.clients.map(({ client, addresses }) => ({ name: client, count: addresses }));
  showBars("clients", "clients-none", clients);
  byId("clients-more").hidden = status.queue.more_clients === 0;
  say(byId("clients-more"), `and ${plural(status.queue.more_clients, "client", "clients")} with less`);
  showResends(status);
  showLink();
}

function showLink() {
  const link = byId("link");
  const age = Date.now() - lastNews;
  const isStale = lastNews > 0 && age > STALE_AFTER_MS || lastNews === 0 && openedAt > 0 && Date.now() - openedAt > STALE_AFTER_MS;
  document.body.classList.toggle("old", isStale);
  if (isStale) {
    link.className = "link stale";
    // Without the age, which a screen reader would be told every second.
    say(link, lastNews ? `No connection. What you see is of ${clock.format(new Date(lastNews))}; trying again.` : "No connection; trying again.");
    entitle("No connection");
  } else {
    link.className = lastNews ? "link" : "link waiting";
    say(link, lastNews ? "Live" : "Connecting …");
  }
}

function listen() {
  if (source) source.close();
  openedAt = openedAt || Date.now();
  source = new EventSource("status/events");
  // A stream begins with all samples there are.
  source.addEventListener("open", () => { samples = []; });
  source.addEventListener("status", (event) => show(JSON.parse(event.data)));
  source.addEventListener("end", () => { lastNews = Math.min(lastNews, Date.now() - STALE_AFTER_MS - 1); showLink(); });
}

// A browser gives up on some failures for good; this asks again after all of them.
let askedAt = 0;
setInterval(() => {
  if (document.hidden) return;
  showLink();
  const isSilent = Date.now() - Math.max(lastNews, openedAt) > STALE_AFTER_MS;
  if ((isSilent || !source || source.readyState === EventSource.CLOSED) && Date.now() - askedAt > AGAIN_AFTER_MS) {
    askedAt = Date.now();
    listen();
  }
}, 1000);

// Nobody looks: nothing is asked for.
document.addEventListener("visibilitychange", () => {
  entitle(latest && STATES[latest.health.state]?.[1]);
  if (document.hidden) {
    source?.close();
    source = null;
  } else {
    listen();
  }
});
window.addEventListener("pagehide", () => source?.close());
if (!document.hidden) listen();
