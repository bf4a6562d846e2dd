#!/usr/bin/env node
// payments calls fraud with a certificate and no secret. Its token is worth nothing to whoever has the token alone.
import { mkdirSync, readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { createClient } from '@countersign/client';
import { decodeJwt } from '../stage/decode-jwt.mjs';
import { expect, step } from '../stage/stage.mjs';
import { tell } from '../stage/telling.mjs';
import { makeCertificates, pem, shown } from './certificates.mjs';
import { documents, FRAUD } from './documents.mjs';

/** As whoever found the token would use it: over TLS, with this certificate or with none. */
function callWith(token, { url, ca, certificate = {} }) {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` };
    const sent = request(url, { ca, ...certificate, agent: false, headers }, (response) => {
      response.resume();
      resolve(`${response.statusCode} ${response.headers['www-authenticate'] ?? ''}`);
    });
    sent.once('error', reject).end();
  });
}

/** Beside what the authority keeps. */
const certificatesOf = (folder) => join(folder, 'certificates');

async function certified(parent) {
  const folder = certificatesOf(parent);
  mkdirSync(folder);
  makeCertificates(folder, { machines: ['payments', 'reports'], api: 'fraud' });
  return documents(pem(folder, 'ca'));
}

const REFUSED = /^401 .*error="invalid_token"/;
const CURL = 'curl --cacert ca.pem -H "Authorization: Bearer $TOKEN"';

async function story({ folder: parent, ready, serve, countersign, authority }) {
  const folder = certificatesOf(parent);
  const ca = pem(folder, 'ca');
  // payments speaks to two: the authority has a CA of its own, fraud a certificate of the organisation's.
  const trusted = `${readFileSync(ready.ca_file, 'utf8')}\n${ca}`;
  const clientWith = (name) =>
    createClient({
      issuer: authority.issuer,
      clientId: 'payments',
      certificate: { ...shown(folder, name), ca: trusted },
      resource: FRAUD,
    });
  const fraud = await step('the fraud API is up, over TLS', 'node fraud-api.mjs certificates &', () =>
    serve('payments-fraud/fraud-api.mjs', folder),
  );
  const scores = `${fraud}/scores/42`;
  const payments = clientWith('payments');

  const token = await step(
    'payments shows its certificate and gets a token that is bound to it',
    'client.token()',
    async () => {
      const { accessToken } = await payments.token();
      const { cnf } = decodeJwt(accessToken);
      expect('cnf with x5t#S256', /^[\w-]{43}$/.test(cnf?.['x5t#S256']), JSON.stringify(cnf));
      return accessToken;
    },
  );
  await step('payments reads fraud: 200', "client.fetch(fraud + '/scores/42')", async () => {
    const response = await payments.fetch(scores);
    const { caller } = await response.json();
    expect('200 for payments', response.status === 200 && caller === 'payments', `${response.status}`);
  });
  await step('payments may not write there: 403', "client.fetch(fraud + '/rules')", async () => {
    const { status, headers } = await payments.fetch(`${fraud}/rules`, { method: 'POST' });
    const challenge = headers.get('www-authenticate') ?? '';
    expect('403', status === 403 && /scope="fraud:write"/.test(challenge), `${status} ${challenge}`);
  });
  await step('the token, stolen, without a certificate: 401', `${CURL} ${scores}`, async () => {
    const answer = await callWith(token, { url: scores, ca });
    expect('401 invalid_token', REFUSED.test(answer), answer);
  });
  const other = '--cert reports.pem --key reports.key';
  await step('and with another certificate of the same CA: 401', `${CURL} ${other} ${scores}`, async () => {
    const certificate = shown(folder, 'reports');
    const answer = await callWith(token, { url: scores, ca, certificate });
    expect('401 invalid_token', REFUSED.test(answer), answer);
    const own = await callWith(token, { url: scores, ca, certificate: shown(folder, 'payments') });
    expect('200 with its own', own.startsWith('200'), own);
  });
  await step('another machine of the same CA is not payments: invalid_client', 'client.token()', async () => {
    const reports = clientWith('reports');
    const refusal = await reports.token().catch((error) => error);
    expect('invalid_client', refusal.error === 'invalid_client', String(refusal.message ?? 'a token'));
    await reports.close();
  });
  const order = [
    'cutoffs',
    'create',
    '--kind',
    'identity',
    '--id',
    'payments',
    '--reason',
    'key lost',
    '--yes',
  ];
  await step('payments is cut off', `npx --no -- countersign ${order.join(' ')}`, async () => {
    const { code, out, err } = await countersign(...order);
    expect('a cut-off', code === 0, err || out);
  });
  await step(
    'and refused within 2 s, with its own certificate',
    `${CURL} --cert payments.pem …`,
    async () => {
      let answer = '';
      for (const began = performance.now(); !REFUSED.test(answer) && performance.now() - began < 2000; ) {
        answer = await callWith(token, { url: scores, ca, certificate: shown(folder, 'payments') });
      }
      expect('401 invalid_token', REFUSED.test(answer), answer);
    },
  );
  await payments.close();
}

await tell(certified, story, ['--mtls-port', '0']);
