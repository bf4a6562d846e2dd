// Programs of others that a story needs: named by the environment, as the run of all tests does, or of this machine.
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** How a story ends that cannot be told on this machine. */
export const LACKING = 77;

/** This machine lacks a program. */
export class Lacking extends Error {
  /** @param {string} name @param {string} variable */
  constructor(name, variable) {
    super(
      `not told: ${name} is not on this machine; install it, or say where it is: ${variable}=/path/to/${name}`,
    );
  }
}

/** @param {string} name @returns {string} its path @throws Lacking */
export function programOf(name) {
  const variable = `COUNTERSIGN_TEST_${name.toUpperCase()}`;
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'];
  const given = process.env[variable];
  const found = (given ? [given] : folders.map((folder) => join(folder, name))).find((path) =>
    existsSync(path),
  );
  if (found === undefined) throw new Lacking(name, variable);
  return found;
}
