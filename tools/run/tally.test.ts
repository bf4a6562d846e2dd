import { describe, expect, it } from 'vitest';
import { closingLines, Tally } from './tally.mjs';

const results = {
  passed: 3,
  failed: 1,
  failures: ['a.test.ts > breaks'],
  skipped: [
    { name: 'needs Go', file: 'go.test.ts', note: 'no Go' },
    { name: 'needs node:sqlite', file: 'sqlite.test.ts', note: 'by design: Node 24 only' },
  ],
};

describe('the closing of a run', () => {
  it('counts, names what was skipped and why, and ends on the one line', () => {
    const tally = new Tally(false);
    tally.absent('Go', 'not on this machine');
    tally.add(results);
    const lines = closingLines(tally, '1.0');
    expect(lines.at(-1)).toBe('3 passed, 1 failed, 2 skipped');
    const text = lines.join('\n');
    for (const part of [
      'missing: Go: not on this machine',
      'go.test.ts: 1 (no Go)',
      'needs Go',
      '  a.test.ts > breaks',
    ]) {
      expect(text).toContain(part);
    }
  });

  it('under COUNTERSIGN_REQUIRE=all turns into failures what is missing, and leaves what is by design', () => {
    const tally = new Tally(true);
    tally.absent('Go', 'not on this machine');
    tally.add(results);
    expect(closingLines(tally, '1.0').at(-1)).toBe('3 passed, 3 failed, 1 skipped');
  });

  it('names a few of many skipped tests of one file', () => {
    const tally = new Tally(false);
    for (let i = 0; i < 40; i++) tally.skip(`test ${i}`, 'no PostgreSQL', 'postgres.test.ts');
    const text = closingLines(tally, '1.0').join('\n');
    expect(text).toContain('postgres.test.ts: 40 (no PostgreSQL)');
    expect(text).toContain('and 37 more');
  });
});
