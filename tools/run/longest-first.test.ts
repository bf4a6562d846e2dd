import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { TestSpecification, Vitest } from 'vitest/node';
import { ROOT } from '../source/report.mjs';
import LongestFirst, { LONGEST } from './longest-first.mjs';

it('names files that are there', () => {
  expect(LONGEST.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

it('begins with them in each project, and then with the larger files', async () => {
  const sizes: Readonly<Record<string, number>> = {
    'a.test.ts': 1,
    'b.test.ts': 2,
    [LONGEST[1] as string]: 0,
  };
  const cache = {
    getFileTestResults: () => undefined,
    getFileStats: (key: string) => ({ size: sizes[key.split(':')[1] as string] ?? 0 }),
  };
  const projects = ['one', 'two'].map((name) => ({
    name,
    config: { isolate: true, sequence: { groupOrder: 0 } },
  }));
  const files = projects.flatMap((project) =>
    Object.keys(sizes).map((path) => ({ project, moduleId: join(ROOT, path) })),
  );
  const sequencer = new LongestFirst({ cache, config: { root: ROOT } } as unknown as Vitest);
  const sorted = await sequencer.sort(files as unknown as TestSpecification[]);
  expect(sorted.map(({ project, moduleId }) => [project.name, moduleId.slice(ROOT.length + 1)])).toEqual(
    ['one', 'two'].flatMap((name) => [LONGEST[1], 'b.test.ts', 'a.test.ts'].map((path) => [name, path])),
  );
});
