import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { readConfiguredFile, UnreadableFile } from '@countersign/protocol/configured-file';
import type { YamlValue } from './yaml-reader.ts';

/** A file that the settings file names, and where they do: what is wrong with it is a fault of that line. */
export interface ConfiguredFile {
  readonly path: string;
  /** What it holds. @throws ConfigFault */
  text(): string;
  /** The one secret that it holds. @throws ConfigFault also where others can read it */
  secret(): string;
}

/** The file that a value names, from beside the settings file. */
export type FileOf = (value: YamlValue) => ConfiguredFile;

/** For the values of one settings file. */
export function filesBeside(settingsFile: string): FileOf {
  return (value) => {
    const path = resolve(dirname(settingsFile), value.string());
    const text = (): string => {
      try {
        return readConfiguredFile(path);
      } catch (error) {
        throw error instanceof UnreadableFile ? value.fault(`names ${path}, which ${error.problem}`) : error;
      }
    };
    return {
      path,
      text,
      secret() {
        const held = text().trim();
        if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0) {
          throw value.fault(`names ${path}, which is readable by others: chmod 600 ${path}`);
        }
        if (held === '') throw value.fault(`names ${path}, which is empty`);
        return held;
      },
    };
  };
}
