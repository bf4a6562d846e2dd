import { readFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

/** One file of the console as it is sent. */
export interface SiteFile {
  readonly type: string;
  readonly bytes: Uint8Array;
  readonly gzipped: Uint8Array;
  /** Strong, of the bytes (RFC 9110 §8.8.3). */
  readonly etag: string;
}

export interface Site {
  /** Names below `assets/` that the page begins with. */
  readonly script: string;
  readonly style: string;
  /** Undefined: it is no file of the console. A name is looked up in a list, and never becomes a path. */
  file(name: string): Promise<SiteFile | undefined>;
}

/** What `site.json` says; the build of the console writes it. */
interface Manifest {
  readonly script: string;
  readonly style: string;
  readonly files: readonly string[];
}

const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

const compress = promisify(gzip);

/** Reads the list of files; each of them is read when it is first asked for, and kept. Rejects where the build made none. */
export async function openSite(folder: URL): Promise<Site> {
  const manifest = JSON.parse(await readFile(new URL('site.json', folder), 'utf8')) as Manifest;
  const known = new Set(manifest.files);
  const kept = new Map<string, Promise<SiteFile>>();
  return {
    script: manifest.script,
    style: manifest.style,
    async file(name) {
      const type = TYPES[name.slice(name.lastIndexOf('.') + 1)];
      if (type === undefined || !known.has(name)) return undefined;
      let file = kept.get(name);
      if (file === undefined) {
        file = readSiteFile(new URL(join('.', name), folder), type);
        kept.set(name, file);
        // What could not be read is asked for again.
        file.catch(() => kept.delete(name));
      }
      return await file;
    },
  };
}

async function readSiteFile(url: URL, type: string): Promise<SiteFile> {
  return await siteFile(type, await readFile(url));
}

export async function siteFile(type: string, bytes: Uint8Array): Promise<SiteFile> {
  const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
  return { type, bytes, gzipped: await compress(bytes, { level: 9 }), etag };
}
