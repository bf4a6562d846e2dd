// COSE examples of other people. Found through COUNTERSIGN_VECTORS, else beside the project; never part of it.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where they are absent the title says how to get them. */
export function coseVectors(): {
  readonly there: boolean;
  readonly title: string;
  /** The files of a folder. */
  folder(name: string): readonly string[];
  /** One file: of a shape that only who reads it knows. */
  read(file: string): ReturnType<typeof JSON.parse>;
} {
  const beside = fileURLToPath(new URL('../../../../shared/vectors', import.meta.url));
  const given = process.env['COUNTERSIGN_VECTORS'] ?? '';
  const root = join(given === '' ? beside : given, 'cose-wg');
  const there = existsSync(root);
  return {
    there,
    title: there ? 'cose-wg examples' : 'cose-wg examples (absent: set COUNTERSIGN_VECTORS)',
    folder: (name) => readdirSync(join(root, name)).filter((file) => file.endsWith('.json')),
    read: (file) => JSON.parse(readFileSync(join(root, file), 'utf8')),
  };
}
