#!/usr/bin/env node
// An application that knows nothing of OAuth, behind nginx: callers need a token, and none of them says who it is.
import { expect, step } from '../stage/stage.mjs';
import { programOf } from '../stage/program.mjs';
import { tell } from '../stage/telling.mjs';
import { documents, INVOICES } from './documents.mjs';
import { startGateway, startNginx } from './front.mjs';

/** What nginx answers, and what the application said if it was reached. */
async function answerOf(response) {
  const told = response.ok ? await response.json() : {};
  const challenge = response.headers.get('www-authenticate') ?? '';
  return { ...told, status: response.status, challenge, line: `${response.status} ${challenge}` };
}

async function story(scene) {
  const app = await step('the application is up, as it always was', 'node legacy-app.mjs &', () =>
    scene.serve('nginx-legacy/legacy-app.mjs'),
  );
  const gateway = await step('the gateway', 'countersign-gateway --config gateway.yaml &', () =>
    startGateway(scene),
  );
  const nginx = await step('nginx before both', 'nginx -c nginx.conf &', () =>
    startNginx(scene.folder, { app, auth: gateway.auth }),
  );
  const invoices = `${nginx}/invoices/7`;
  const billing = scene.clientOf('billing');
  const call = async (url, init = {}) => answerOf(await billing.fetch(url, init, { resource: INVOICES }));
  const spoofed = { headers: { 'X-Remote-User': 'admin' } };

  await step(
    'billing reads an invoice; the application learns its name: 200',
    'client.fetch(…)',
    async () => {
      const { status, user, seen } = await call(invoices);
      expect('200 for billing', status === 200 && user === 'billing', `${status} ${user}`);
      expect('no token at the application', !seen.includes('authorization'), seen.join());
    },
  );
  await step('without a token nobody reaches it: 401', `curl -i ${invoices}`, async () => {
    const { status, challenge } = await answerOf(await fetch(invoices, spoofed));
    expect('401 with a challenge', status === 401 && challenge.startsWith('Bearer'), `${status}`);
  });
  await step('billing says that it is admin, and is billing', "-H 'X-Remote-User: admin'", async () => {
    const { user } = await call(invoices, spoofed);
    expect('billing', user === 'billing', user);
  });
  await step('on a public path it is nobody', `curl ${nginx}/status`, async () => {
    const { status, user } = await answerOf(await fetch(`${nginx}/status`, spoofed));
    expect('200 for nobody', status === 200 && user === 'nobody', `${status} ${user}`);
  });
  await step('it may not void an invoice: 403 insufficient_scope', 'client.fetch(…)', async () => {
    const { status, challenge, line } = await call(invoices, { method: 'DELETE' });
    expect('403', status === 403 && challenge.includes('scope="invoices:write"'), line);
  });
  await step('what no rule names is refused to everybody: 403', `curl ${nginx}/backup.sql`, async () => {
    const { line } = await call(`${nginx}/backup.sql`);
    expect('403', line.startsWith('403'), line);
  });
  const order = ['cutoffs', 'create', '--kind', 'identity', '--id', 'billing', '--reason', 'leaked', '--yes'];
  const { accessToken } = await billing.token({ resource: INVOICES });
  await step('billing is cut off', `npx --no -- countersign ${order.join(' ')}`, async () => {
    const { code, out, err } = await scene.countersign(...order);
    expect('a cut-off', code === 0, err || out);
  });
  const found = { headers: { authorization: `Bearer ${accessToken}` } };
  await step('and refused within 2 s: 401 invalid_token', `curl -i ${invoices}`, async () => {
    let line = '';
    for (const began = performance.now(); performance.now() - began < 2000 && !line.startsWith('401'); ) {
      ({ line } = await answerOf(await fetch(invoices, found)));
    }
    expect('401 invalid_token', /^401 .*invalid_token/.test(line), line);
  });
  await step('with the gateway gone nobody gets in: 503', `curl -i ${nginx}/status`, async () => {
    await gateway.stop();
    const { line } = await answerOf(await fetch(`${nginx}/status`));
    expect('503', line.startsWith('503'), line);
  });
  await billing.close();
}

await tell(() => {
  programOf('nginx');
  return documents();
}, story);
