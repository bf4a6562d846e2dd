/**
 * How long `countersign dev` takes from the start of its process to its ready file: on an empty folder, where it makes
 * keys and tables, and on one that has them.
 */
import { rmSync } from 'node:fs';
import { freshFolder, isBuilt, startAuthority } from './countersign.mjs';
import { median, table } from './machine.mjs';
import { cpuMicroseconds } from './process-usage.mjs';

/**
 * @param {{apart: {server: string[]}, starts: number, say: (text: string) => void}} options
 * @returns {Promise<string | undefined>} Markdown
 */
export async function run(options) {
  if (!isBuilt()) {
    options.say('start is NOT in this run: countersign is not built');
    return undefined;
  }
  const first = [];
  const again = [];
  for (let at = 0; at < options.starts; at++) {
    const dataDir = freshFolder();
    try {
      for (const times of [first, again]) {
        const authority = await startAuthority({ dataDir, prefix: options.apart.server });
        times.push({ wall: authority.seconds, cpu: cpuMicroseconds(authority.ready.pid) / 1e6 });
        await authority.stop();
      }
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
    options.say(
      `start ${at + 1}: first ${first.at(-1).wall.toFixed(2)} s · again ${again.at(-1).wall.toFixed(2)} s`,
    );
  }
  const row = (name, times) => {
    const walls = times.map((one) => one.wall);
    const figures = [
      median(walls),
      Math.min(...walls),
      Math.max(...walls),
      median(times.map((one) => one.cpu)),
    ];
    return [name, ...figures.map((one) => one.toFixed(2))];
  };
  const rows = [row('empty folder', first), row('existing folder', again)];
  const head = ['start', 'median s', 'lowest s', 'highest s', 'of it CPU s'];
  return `${options.starts} starts each, on one processor; wanted: under 1 s.\n\n${table(head, rows)}`;
}
