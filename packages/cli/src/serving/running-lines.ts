import { resolve } from 'node:path';
import { nearPath } from '../near-path.ts';

/** The ready file's members that people want to see. */
export interface RunningFacts {
  readonly pid: number;
  readonly version: string;
  readonly issuer: string;
  readonly mtls_base?: string | undefined;
  readonly ca_file?: string | undefined;
  readonly admin: {
    readonly client_id: string;
    readonly client_secret?: string | undefined;
    readonly api: string;
  };
}

/** What is running, and what to do first. */
export function runningLines(
  mode: 'dev' | 'serve',
  ready: RunningFacts,
  readyFile: unknown,
  cwd: string,
): readonly string[] {
  const near = (path: string): string => nearPath(cwd, resolve(cwd, path));
  const found = typeof readyFile === 'string' && near(readyFile) !== '.countersign/ready.json';
  const reach = found ? ` --ready-file ${near(readyFile)}` : '';
  return [
    `countersign ${ready.version} is running (${mode}, pid ${ready.pid})`,
    `  issuer      ${ready.issuer}`,
    `  admin API   ${ready.admin.api}`,
    ...(ready.mtls_base === undefined ? [] : [`  mTLS        ${ready.mtls_base}`]),
    ...(ready.ca_file === undefined ? [] : [`  CA file     ${near(ready.ca_file)}`]),
    ...(typeof readyFile === 'string' ? [`  ready file  ${near(readyFile)}`] : []),
    `  admin       ${ready.admin.client_id}`,
    ...(typeof readyFile === 'string' ? ['', 'A first token:', `  countersign token get${reach}`] : []),
    ...(mode === 'dev' ? ['', 'Ctrl-C stops it.'] : []),
  ];
}
