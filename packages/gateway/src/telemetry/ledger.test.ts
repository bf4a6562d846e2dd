import { REFUSAL_LINES_A_MINUTE } from '@countersign/daemon';
import { expect, it } from 'vitest';
import { refuseEdge } from '../decision/refusal.ts';
import { createLedger } from './ledger.ts';
import { renderMetrics } from './metrics.ts';

it('refusals are counted all, and told of up to a number of lines a minute', () => {
  const lines: { fields: object; message: string }[] = [];
  const log = (fields: object, message: string): void => void lines.push({ fields, message });
  let now = 0;
  const ledger = createLedger({ info: log, warn: log, error: log }, () => now);
  const request = { method: 'GET', target: '/a?token=secret', hosts: ['a.example'] };
  for (let i = 0; i < REFUSAL_LINES_A_MINUTE + 5; i++)
    ledger.decided('nginx', request, refuseEdge('no_route'));
  expect(lines).toHaveLength(REFUSAL_LINES_A_MINUTE);
  expect(lines[0]).toMatchObject({
    fields: { reason: 'no_route', host: 'a.example', path: '/a' },
    message: 'refused',
  });
  expect(JSON.stringify(lines)).not.toContain('secret');
  now += 60_000;
  ledger.decided('nginx', undefined, refuseEdge('path_dots'));
  expect(lines.slice(REFUSAL_LINES_A_MINUTE)).toMatchObject([
    { fields: { unlogged: 5 }, message: 'further refusals of the last minute' },
    { fields: { reason: 'path_dots' }, message: 'refused' },
  ]);
  const feeds = () => [
    { resource: 'a', stale: true, age: undefined },
    { resource: 'b', stale: false, age: 2 },
  ];
  const text = renderMetrics({ ledger, version: '1', ready: () => true, feeds, inFlight: () => 3 });
  expect(text).toContain(
    `countersign_gateway_decisions_total{front="nginx",outcome="no_route"} ${REFUSAL_LINES_A_MINUTE + 5}\n`,
  );
  for (const line of [
    'ready 1',
    'cutoffs_stale{resource="a"} 1',
    'cutoffs_age_seconds{resource="b"} 2',
    'in_flight 3',
  ]) {
    expect(text).toContain(`countersign_gateway_${line}\n`);
  }
  expect(text).not.toContain('age_seconds{resource="a"}');
});
