/**
 * Where a figure comes from, and how servers and load are kept apart.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** One line: processor, cores, memory, Node, and the commit (with `+` when the work tree differs from it). */
export function describeMachine() {
  const processor = cpus()[0]?.model.trim() ?? 'unknown processor';
  const git = (...args) => spawnSync('git', args, { cwd: root, encoding: 'utf8' }).stdout?.trim() ?? '';
  const changed =
    git('status', '--porcelain', '--untracked-files=no', '--', 'packages', 'bench/*.mjs') === '' ? '' : '+';
  const commit = `${git('rev-parse', '--short', 'HEAD') || 'unknown'}${changed}`;
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  const day = new Date().toISOString().slice(0, 10);
  return `${processor}, ${cpus().length} cores, ${gigabytes} GiB · Node ${process.versions.node} · commit ${commit} · ${day}`;
}

function allowedProcessors() {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '';
  return list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, at) => first + at);
  });
}

/**
 * Commands to put in front of a server and of the load generator: each on a processor of its own when the machine has
 * two and `taskset` works, and as polite as asked.
 * @param {number} niceness 0 when the machine is ours alone
 * @returns {{server: string[], load: string[], note: string}}
 */
export function keepApart(niceness) {
  const nice = niceness > 0 ? ['nice', '-n', String(niceness)] : [];
  const processors = allowedProcessors();
  const taskset = spawnSync('taskset', ['-c', String(processors[0]), 'true']).status === 0;
  if (processors.length < 2 || !taskset) {
    return { server: nice, load: nice, note: 'server and load share the processors' };
  }
  const [first, last] = [processors[0], processors.at(-1)];
  return {
    server: [...nice, 'taskset', '-c', String(first)],
    load: [...nice, 'taskset', '-c', String(last)],
    note: `server on processor ${first}, load on processor ${last}`,
  };
}

/** @param {number[]} values */
export function median(values) {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * A Markdown table.
 * @param {string[]} head
 * @param {string[][]} rows
 */
export function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, at) => (at === 0 ? '---' : '--:'))), ...rows.map(line)].join('\n');
}
