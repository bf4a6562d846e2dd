import { readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Document as YamlDocument, LineCounter, Node, YAMLMap } from 'yaml';
import { usageError } from '../failure.ts';
import type { Host } from '../host.ts';
import { textAt } from '../named-file.ts';
import { nearPath } from '../near-path.ts';

/** One declared object as it was written, and where. */
export interface Declared {
  readonly object: Record<string, unknown>;
  /** Folder that file names in it count from. */
  readonly folder: string;
  /** `authority.yaml:12:3` of a member, by its path in the object. */
  readonly locate: (path: readonly (string | number)[]) => string;
}

const YAML_NAME = /\.ya?ml$/;

/** Reads YAML documents from files, folders (with all below them) and stdin (`-`), in a stable order. */
export async function readDeclared(
  host: Pick<Host, 'cwd' | 'stdin'>,
  paths: readonly string[],
): Promise<readonly Declared[]> {
  const declared: Declared[] = [];
  for (const path of paths) {
    if (path === '-') declared.push(...(await parse(await host.stdin.readAll(), 'stdin', host.cwd)));
    else {
      for (const file of filesUnder(resolve(host.cwd, path), path)) {
        declared.push(...(await parse(textAt(file), nearPath(host.cwd, file), dirname(file))));
      }
    }
  }
  return declared;
}

function filesUnder(path: string, named: string): readonly string[] {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw usageError(`There is no file or folder ${named}.`);
  if (!stat.isDirectory()) return [path];
  const found = readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => YAML_NAME.test(name))
    .sort()
    .map((name) => join(path, name));
  if (found.length === 0) throw usageError(`There is no .yaml or .yml file in ${named}.`);
  return found;
}

async function parse(text: string, file: string, folder: string): Promise<readonly Declared[]> {
  // The whole of it: loaded lazily from the bundle, CommonJS has no other name.
  const { isMap, LineCounter, parseAllDocuments } = (await import('yaml')).default;
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false });
  if ('empty' in documents) return [];
  return documents.flatMap((document): readonly Declared[] => {
    const fault = document.errors[0];
    if (fault !== undefined)
      throw usageError(`${file}:${place(lines, fault.pos[0])} is not YAML: ${fault.message}.`);
    const object: unknown = document.toJS({ maxAliasCount: 100 });
    if (object === null || object === undefined) return [];
    const locate = (path: readonly (string | number)[]): string =>
      `${file}:${place(lines, startOf(document, isMap, path))}`;
    if (typeof object !== 'object' || Array.isArray(object)) {
      throw usageError(
        `${locate([])} is not an object.`,
        'Each document has apiVersion, kind, metadata and spec.',
      );
    }
    return [{ object: object as Record<string, unknown>, folder, locate }];
  });
}

/** `12:3`, line and column. */
function place(lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `${line}:${col}`;
}

/** Where a member begins, with its name; where it is not there, what stands in the nearest one above. */
function startOf(
  document: YamlDocument,
  isMap: (node: unknown) => node is YAMLMap,
  path: readonly (string | number)[],
): number {
  const above = document.getIn(path.slice(0, -1), true);
  const name = path.length > 0 && isMap(above) ? keyIn(above, path.at(-1)) : undefined;
  if (name?.range) return name.range[0];
  for (let length = path.length; length >= 0; length--) {
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    const { range } = (node ?? {}) as { readonly range?: readonly [number, ...number[]] | null };
    if (range) return range[0];
  }
  return 0;
}

function keyIn(map: YAMLMap, name: string | number | undefined): Node | undefined {
  const keys = map.items.map(({ key }) => key as Node & { readonly value?: unknown });
  return keys.find((key) => String(key.value) === String(name));
}
