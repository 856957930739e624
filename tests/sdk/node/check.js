// Resends invitations with axios: as plain HTTP users do, and as the Node SDK of fax.plus does, which puts
// its base path before the path and its body into JSON by itself. `node check.js GATEWAY`.

import assert from "node:assert/strict";

import axios from "axios";

const PATH = "/accounts/self/member-invitations";
const SUCCESS = { message: "Invitations resent successfully" };
const baseURL = `${process.argv[2]}/v3`;

/** As a program that uses axios directly. */
const plain = (emails, token = "alohi_pat_x") =>
  axios.create({ baseURL, timeout: 60_000 }).patch(PATH, emails, {
    headers: { Authorization: `Bearer ${token}` },
  });

/** As the generated Node SDK does. */
const generated = (emails, token = "alohi_pat_x", basePath = baseURL) =>
  axios.request({
    url: basePath + PATH,
    method: "PATCH",
    data: JSON.stringify(emails),
    headers: {
      "Content-Type": "application/json",
      "x-fax-clientid": "client",
      Authorization: `Bearer ${token}`,
    },
    timeout: 60_000,
  });

const succeeds = async (request) => {
  const { status, data } = await request;
  assert.deepEqual([status, data], [200, SUCCESS]);
};

/** The answer that axios raises an error for. */
const fault = async (request, status, error) => {
  const raised = await request.then(
    ({ data }) => assert.fail(`no error, but ${JSON.stringify(data)}`),
    (reason) => reason,
  );
  assert.ok(axios.isAxiosError(raised) && raised.response, String(raised));
  assert.deepEqual([raised.response.status, raised.response.data.error], [status, error]);
  return raised.response;
};

const checks = {
  "a list of any length is success": async (resend, name) => {
    await succeeds(resend([`${name}-one@example.com`]));
    await succeeds(resend(Array.from({ length: 250 }, (_, at) => `${name}-many${at}@example.com`)));
  },
  "what was sent already is success": async (resend, name) => {
    await succeeds(resend([`${name}-twice@example.com`, `${name}-TWICE@example.com`]));
    await succeeds(resend([`${name}-twice@example.com`]));
  },
  "an invalid address raises and the description says where": async (resend, name) => {
    const { data } = await fault(resend([`${name}-good@example.com`, "nobody"]), 400, "invalid_addresses");
    assert.deepEqual(data.invalid, [{ index: 1, reason: "no_at_sign" }]);
    assert.match(data.description, /1 of 2 elements is not an e-mail address: element 1 \(no_at_sign\)/);
  },
  "an empty list raises": async (resend) => {
    await fault(resend([]), 400, "empty_list");
  },
  "a missing token raises": async (resend, name) => {
    await fault(resend([`${name}-token@example.com`], ""), 401, "unauthorized");
  },
  "a rejected address raises and is named": async (resend, name) => {
    const emails = [`${name}-a@example.com`, `${name}-r@refused.example`];
    const { data } = await fault(resend(emails), 400, "rejected_addresses");
    assert.deepEqual([data.rejected, data.retry, data.unknown], [[emails[1]], [], []]);
    assert.deepEqual([data.counts.received, data.counts.sent, data.counts.rejected], [2, 1, 1]);
    assert.match(data.description, /1 rejected \(not_found\)/);
  },
  "a doubt raises and is named": async (resend, name) => {
    const emails = [`${name}-u@doubt.example`];
    const { data } = await fault(resend(emails), 500, "outcome_unknown");
    assert.deepEqual([data.unknown, data.retry], [emails, []]);
  },
  "a list that takes too long raises": async (resend, name) => {
    const { data } = await fault(resend([`${name}-s@slow.example`]), 504, "still_sending");
    assert.equal(data.counts.pending, 1);
    assert.ok(data.resend_id);
  },
  "what was not sent raises and can be posted again": async (resend, name) => {
    const emails = [`${name}-l@later.example`];
    const { data, headers } = await fault(resend(emails), 503, "not_sent");
    assert.deepEqual([data.retry, data.unknown], [emails, []]);
    assert.ok(Number(headers["retry-after"]) >= 1);
  },
};

for (const [how, resend] of Object.entries({ plain, generated })) {
  for (const [name, check] of Object.entries(checks)) {
    await check(resend, `node-${how}`);
    console.log(`ok   ${how}: ${name}`);
  }
}
await succeeds(generated(["node-slash@example.com"], "x", `${baseURL}/`));
console.log("ok   generated: a base URL that ends in a slash works");
