import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { authorityMetrics } from './authority-metrics.ts';
import { renderMetrics } from './metrics.ts';

describe('the figures', () => {
  it('are written in the text format of Prometheus', () => {
    const text = renderMetrics([
      {
        name: 'countersign_things_total',
        help: 'Things.',
        type: 'counter',
        read: () => [
          { labels: { kind: 'a"b\\c\nd', n: '1' }, value: 2 },
          { labels: {}, value: 0.5 },
        ],
      },
      { name: 'countersign_free_bytes', help: 'None now.', type: 'gauge', read: () => [] },
    ]);
    expect(text).toBe(
      '# HELP countersign_things_total Things.\n# TYPE countersign_things_total counter\n' +
        'countersign_things_total{kind="a\\"b\\\\c\\nd",n="1"} 2\ncountersign_things_total 0.5\n' +
        '# HELP countersign_free_bytes None now.\n# TYPE countersign_free_bytes gauge\n',
    );
  });

  const metrics = (free: number | undefined): string =>
    renderMetrics(
      authorityMetrics({
        counters: { tokensIssued: 7, refusals: new Map([['secret_mismatch', 3]]) },
        facts: { size: () => 4 },
        feed: { waiting: () => 5 },
        log: { healthy: () => false },
        sink: { freeBytes: () => free },
        version: '1.2.3',
      }),
    );

  it('of the authority are what its parts count', () => {
    const lines = metrics(1024).split('\n');
    for (const line of [
      `countersign_build_info{version="1.2.3",node="${process.version}"} 1`,
      'countersign_tokens_issued_total 7',
      'countersign_token_refusals_total{reason="secret_mismatch"} 3',
      'countersign_cached_identities 4',
      'countersign_cutoff_followers 5',
      'countersign_audit_healthy 0',
      'countersign_audit_free_bytes 1024',
    ]) {
      expect(lines).toContain(line);
    }
    expect(metrics(undefined)).not.toMatch(/^countersign_audit_free_bytes /m);
  });

  it('keep to one format, each name once, with its unit at its end', () => {
    const sample = /^[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? \d[\d.e+]*$/;
    for (const line of metrics(1).trimEnd().split('\n'))
      if (!line.startsWith('#')) expect(line).toMatch(sample);
    const names = [...metrics(1).matchAll(/^# TYPE (\S+) (\S+)$/gm)];
    expect(new Set(names.map(([, name]) => name)).size).toBe(names.length);
    for (const [, name, type] of names)
      expect([name, name?.endsWith('_total')]).toEqual([name, type === 'counter']);
  });
});

const built = new URL('../../dist/telemetry/logger.js', import.meta.url);

describe.skipIf(!existsSync(built))('the logger (needs a build)', () => {
  function run(level: string, script: string): { out: string; lines: Record<string, unknown>[] } {
    const program = `import { createLogger } from ${JSON.stringify(built.href)};
      const logger = createLogger('${level}', 'n1'); ${script}`;
    const ran = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
    const lines = ran.stderr.split('\n').filter((line) => line !== '');
    return { out: ran.stdout, lines: lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
  }

  it('writes JSON lines to stderr, with level, time and node, and nothing to stdout', () => {
    const { out, lines } = run(
      'info',
      `logger.info({ port: 1 }, 'started'); logger.error({ err: new Error('no') }, 'bad');`,
    );
    expect(out).toBe('');
    expect(lines).toMatchObject([
      {
        level: 'info',
        node: 'n1',
        port: 1,
        msg: 'started',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      },
      { level: 'error', err: { type: 'Error', message: 'no' }, msg: 'bad' },
    ]);
  });

  it('keeps to its level, down to silence', () => {
    expect(run('warn', `logger.info({}, 'a'); logger.warn({}, 'b');`).lines).toMatchObject([{ msg: 'b' }]);
    expect(run('silent', `logger.error({}, 'a');`).lines).toEqual([]);
  });

  it('keeps secrets inside where somebody passes them by mistake', () => {
    const { lines } = run(
      'info',
      `logger.info({ secret: 'S3CRET', authorization: 'S3CRET', request: { client_secret: 'S3CRET', authorization: 'S3CRET', access_token: 'S3CRET', secret: 'S3CRET' } }, 'oops');`,
    );
    expect(lines).toHaveLength(1);
    expect(JSON.stringify(lines)).not.toContain('S3CRET');
  });
});
