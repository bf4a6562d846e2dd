#!/usr/bin/env node
// The quickstart: an authority, a machine and two APIs tell one story. `--once` ends after it; else all stays up.
import { setScene } from './scene.mjs';
import { endAll } from '../stage/stage.mjs';
import * as story from './story.mjs';

const once = process.argv.includes('--once');
const scene = setScene(once);

async function tell() {
  const authority = await story.startAuthority(scene);
  const [fraud, ledger] = await story.startApis(scene);
  await story.getToken(scene);
  await story.readFraud(scene, fraud);
  await story.refusedToWrite(scene, fraud);
  await story.refusedElsewhere(scene, ledger);
  await story.cutOff(scene, fraud);
  return { authority: authority.issuer, fraud, ledger };
}

async function end() {
  await endAll();
  scene.leave();
}
process.once('exit', () => scene.leave());

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await end();
    process.exit(once ? 130 : 0);
  });
}

try {
  const addresses = await tell();
  if (once) await end();
  else {
    console.log(
      `\nauthority  ${addresses.authority}\nconsole    ${addresses.authority}/console\nfraud      ${addresses.fraud}\nledger     ${addresses.ledger}`,
    );
    console.log('Ctrl-C ends all of it.');
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  await end();
  process.exitCode = 1;
}
