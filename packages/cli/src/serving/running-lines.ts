import { resolve } from 'node:path';
import { nearPath } from '../near-path.ts';

/** The ready file's members that people want to see. */
export interface RunningFacts {
  readonly pid: number;
  readonly version: string;
  readonly issuer: string;
  readonly console?: string | undefined;
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
  readyFile: string | undefined,
  cwd: string,
): readonly string[] {
  const near = (path: string): string => nearPath(cwd, resolve(cwd, path));
  const unusual = readyFile !== undefined && near(readyFile) !== '.countersign/ready.json';
  const reach = unusual ? ` --ready-file ${near(readyFile)}` : '';
  const line = (command: string): string => `  npx --no -- countersign ${command}${reach}`;
  return [
    `countersign ${ready.version} is running (${mode}, pid ${ready.pid})`,
    `  issuer      ${ready.issuer}`,
    `  admin API   ${ready.admin.api}`,
    ...(ready.console === undefined ? [] : [`  console     ${ready.console}`]),
    ...(ready.mtls_base === undefined ? [] : [`  mTLS        ${ready.mtls_base}`]),
    ...(ready.ca_file === undefined ? [] : [`  CA file     ${near(ready.ca_file)}`]),
    ...(readyFile !== undefined ? [`  ready file  ${near(readyFile)}`] : []),
    `  admin       ${ready.admin.client_id}`,
    // What needs the secret would only be refused here.
    ...(mode === 'serve' && ready.admin.client_secret === undefined
      ? [
          '',
          'The secret of the admin was told by the start that made it. Where it is lost, with the authority stopped:',
          '  npx --no -- countersign admin reset --data-dir DIR',
        ]
      : []),
    ...(readyFile !== undefined && (mode === 'dev' || ready.admin.client_secret !== undefined)
      ? [
          '',
          'A token of the admin, to see that it works:',
          line('token get'),
          'An API, and a machine that may call it:',
          line(
            'resource-servers create --identifier https://fraud.example --name fraud --scope "fraud:read=Read scores"',
          ),
          line('connect payments --to fraud --scopes fraud:read --owner you@example.com --for 90d'),
        ]
      : []),
    ...(mode === 'dev' ? ['', 'Ctrl-C stops it.'] : []),
  ];
}
