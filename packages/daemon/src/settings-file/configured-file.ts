import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { readConfiguredFile, UnreadableFile } from '@countersign/protocol/configured-file';
import { problemOfCertificates, problemOfKey } from './pem.ts';
import type { YamlValue } from './yaml-reader.ts';

/** A file that the settings file names, and where they do: what is wrong with it is a fault of that line. */
export interface ConfiguredFile {
  readonly path: string;
  /** What it holds. @throws ConfigFault also where that is not what its setting is for */
  text(): string;
}

/** What a TLS server shows of itself. */
export interface ConfiguredIdentity {
  /** PEM: its certificate, and behind it what signed it. */
  readonly certificate: ConfiguredFile;
  /** PEM, of that certificate. */
  readonly key: ConfiguredFile;
}

/** The files that the values of one settings file name, from beside it. Each is read when its text is asked for. */
export interface ConfiguredFiles {
  /** PEM, one or more. */
  certificates(value: YamlValue): ConfiguredFile;
  identity(certificate: YamlValue, key: YamlValue): ConfiguredIdentity;
  /** The one secret that it holds; a fault also where others can read it. @param problemOf what is wrong with such a secret */
  secret(value: YamlValue, problemOf?: (secret: string) => string | undefined): ConfiguredFile;
  /** Reads all that were named, also those that nothing would ask for. @throws ConfigFault */
  check(): void;
}

/** For the values of one settings file. */
export function filesBeside(settingsFile: string): ConfiguredFiles {
  const named: NamedFile[] = [];
  const name = (value: YamlValue, read: (held: string, path: string) => Held): NamedFile => {
    const path = resolve(dirname(settingsFile), value.string());
    const file: NamedFile = {
      path,
      raw: () => textOf(value, path),
      text() {
        const { text, problem } = read(file.raw(), path);
        if (problem !== undefined) throw value.fault(`names ${path}, which ${problem}`);
        return text;
      },
    };
    named.push(file);
    return file;
  };
  return {
    certificates: (value) => name(value, (text) => ({ text, problem: problemOfCertificates(text) })),
    identity(certificateValue, keyValue) {
      const certificate = name(certificateValue, (text) => {
        // What is not there at all comes before what is in the other.
        key.raw();
        return { text, problem: problemOfCertificates(text) };
      });
      const key: NamedFile = name(keyValue, (text) => {
        const shown = { path: certificate.path, text: certificate.text() };
        return { text, problem: problemOfKey(text, shown) };
      });
      return { certificate, key };
    },
    secret: (value, problemOf) =>
      name(value, (held, path) => {
        const text = held.trim();
        return {
          text,
          problem: readableByOthers(path) ?? (text === '' ? 'is empty' : problemOf?.(text)),
        };
      }),
    check() {
      for (const file of named) file.raw();
      for (const file of named) file.text();
    },
  };
}

interface NamedFile extends ConfiguredFile {
  /** Whatever it holds. @throws ConfigFault where it cannot be read */
  raw(): string;
}

interface Held {
  readonly text: string;
  /** Goes on from the name of the file. */
  readonly problem: string | undefined;
}

function textOf(value: YamlValue, path: string): string {
  try {
    return readConfiguredFile(path);
  } catch (error) {
    throw error instanceof UnreadableFile ? value.fault(`names ${path}, which ${error.problem}`) : error;
  }
}

function readableByOthers(path: string): string | undefined {
  const isOpen = process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0;
  return isOpen ? `is readable by others: chmod 600 ${path}` : undefined;
}
