#!/usr/bin/env node
// Both sides prove themselves: payments and ledger each show a certificate of the deployment, and each looks who the other is.
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { createClient } from '@countersign/client';
import { decodeJwt } from '../stage/decode-jwt.mjs';
import { expect, step } from '../stage/stage.mjs';
import { tell } from '../stage/telling.mjs';
import { documents, LEDGER } from './documents.mjs';
import { onlyThis } from './peer.mjs';

const LEDGER_ID = 'spiffe://localhost/service/ledger';

/** Connects as who has these files, and only to who is meant. Gives status and body, or what TLS says. */
function call(url, { ca, cert, key, expected }) {
  return new Promise((resolve) => {
    const options = { ca, cert, key, agent: false, checkServerIdentity: onlyThis(expected) };
    const sent = request(url, options, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk) => (body += chunk));
      response.on('end', () => resolve(`${response.statusCode} ${body}`));
    });
    sent.once('error', (error) => resolve(`no connection: ${error.message}`));
    sent.end();
  });
}

async function story({ folder, ready, serve, countersign, authority }) {
  const read = (name) => readFileSync(join(folder, name), 'utf8');
  const shown = (name) => ({ cert: read(`${name}.pem`), key: read(`${name}.key`) });

  for (const name of ['ledger', 'payments', 'reports']) {
    const files = ['--key-file', `${name}.key`, '--cert-file', `${name}.pem`, '--root-file', 'root.pem'];
    const command = ['certificates', 'issue', name, ...files];
    await step(
      `${name} gets a certificate for a key of its own`,
      `npx --no -- countersign ${command.join(' ')}`,
      async () => {
        const there = command.map((word) => (/\.(?:key|pem)$/.test(word) ? join(folder, word) : word));
        const { code, err } = await countersign(...there);
        expect('a certificate', code === 0, err);
      },
    );
  }
  const ca = read('root.pem');
  const ledger = await step(
    'ledger is up, and asks everybody for a certificate',
    'node ledger-api.mjs . &',
    () => serve('mutual-tls/ledger-api.mjs', folder),
  );
  await step(
    'payments and ledger each see who the other is: 200',
    'https.request({cert, key, ca, checkServerIdentity})',
    async () => {
      const answer = await call(ledger, { ca, ...shown('payments'), expected: LEDGER_ID });
      expect('200 for payments', answer === '200 {"caller":"spiffe://localhost/service/payments"}', answer);
    },
  );
  await step(
    'reports shows a certificate that is as good, and is not payments: 403',
    '--cert reports.pem',
    async () => {
      const answer = await call(ledger, { ca, ...shown('reports'), expected: LEDGER_ID });
      expect('403', answer.startsWith('403'), answer);
    },
  );
  await step('who shows none is gone before it has said anything', 'curl --cacert root.pem', async () => {
    const answer = await call(ledger, { ca, expected: LEDGER_ID });
    expect('no connection', answer.startsWith('no connection'), answer);
  });
  await step(
    'payments hangs up on whoever is not the ledger that it means',
    'checkServerIdentity',
    async () => {
      const answer = await call(ledger, {
        ca,
        ...shown('payments'),
        expected: 'spiffe://localhost/service/vault',
      });
      expect('no connection', answer.includes(`this is ${LEDGER_ID}`), answer);
    },
  );

  const clientOf = (name) =>
    createClient({
      issuer: authority.issuer,
      clientId: 'payments',
      certificate: { ...shown(name), ca: readFileSync(ready.ca_file, 'utf8') },
      resource: LEDGER,
    });
  await step(
    'the same certificate gets a token that is bound to it; nothing was set up for that',
    'client.token()',
    async () => {
      const payments = clientOf('payments');
      const { accessToken } = await payments.token();
      const { cnf } = decodeJwt(accessToken);
      expect('cnf with x5t#S256', /^[\w-]{43}$/.test(cnf?.['x5t#S256']), JSON.stringify(cnf));
      await payments.close();
    },
  );
  await step('that of reports is none for payments: invalid_client', 'client.token()', async () => {
    const reports = clientOf('reports');
    const refusal = await reports.token().catch((error) => error);
    expect('invalid_client', refusal.error === 'invalid_client', String(refusal.message ?? 'a token'));
    await reports.close();
  });
  const files = ['--key-file', join(folder, 'payments.key'), '--cert-file', join(folder, 'payments.pem')];
  await step(
    'payments renews by itself, with no scope',
    'npx --no -- countersign certificates renew …',
    async () => {
      const before = read('payments.pem');
      const { code, err } = await countersign('certificates', 'renew', ...files);
      expect('another certificate', code === 0 && read('payments.pem') !== before, err);
      const answer = await call(ledger, { ca, ...shown('payments'), expected: LEDGER_ID });
      expect('200', answer.startsWith('200'), answer);
    },
  );
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
  await step(
    'payments is cut off, and gets neither token nor certificate',
    `npx --no -- countersign ${order.join(' ')}`,
    async () => {
      const { code, out, err } = await countersign(...order);
      expect('a cut-off', code === 0, err || out);
      const payments = clientOf('payments');
      const refusal = await payments.token().catch((error) => error);
      expect('invalid_client', refusal.error === 'invalid_client', String(refusal.message ?? 'a token'));
      await payments.close();
      const renewal = await countersign('certificates', 'renew', ...files);
      expect('a refusal', renewal.code !== 0, renewal.out);
    },
  );
}

await tell(documents(), story, ['--mtls-port', '0']);
