import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ClientCredentials, Target } from '../wire/target.ts';
import { basic, FORM, formBody } from '../wire/token-request.ts';

const PROGRAM = fileURLToPath(new URL('load.mjs', import.meta.url));

export interface LoadPlan {
  /** One keep-alive connection each: from which loopback address, and the requests it sends in turn. */
  readonly connections: readonly { readonly from?: string; readonly requests: readonly string[] }[];
  readonly total?: number;
  readonly seconds?: number;
  /** Remember the jti of every token that arrives. */
  readonly collect?: boolean;
}

export interface LoadResult {
  /** Status code → how often it came. */
  readonly answers: Readonly<Record<string, number>>;
  /** Requests whose connection ended before their answer came. */
  readonly broken: number;
  readonly seconds: number;
  readonly jtis: readonly string[];
}

export interface RunningLoad {
  readonly child: ChildProcess;
  /** Resolves when the process listens to signals and opens its connections. */
  readonly started: Promise<void>;
  readonly result: Promise<LoadResult>;
}

/** Starts load in a process of its own. */
export function startLoad(target: Target, plan: LoadPlan): RunningLoad {
  const at = new URL(target.issuer);
  const argument = JSON.stringify({
    host: '127.0.0.1',
    port: Number(at.port),
    ...(target.caFile === undefined ? {} : { ca: target.caFile }),
    ...plan,
  });
  const child = spawn(process.execPath, [PROGRAM, argument], { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  const started = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString('utf8');
      resolve();
    });
    child.on('close', () => resolve());
  });
  const result = new Promise<LoadResult>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0 && out.trim() !== '')
        resolve(JSON.parse(out.trim().split('\n').pop() as string) as LoadResult);
      else reject(new Error(`the load ended with ${code} and said ${out.slice(0, 200)}`));
    });
  });
  result.catch(() => undefined);
  return { child, started, result };
}

/** A whole HTTP request for a token, as text. */
export function tokenRequest(target: Target, client: ClientCredentials): string {
  const at = new URL(target.tokenEndpoint);
  const body = formBody({ grant_type: 'client_credentials' });
  return [
    `POST ${at.pathname} HTTP/1.1`,
    `Host: ${at.host}`,
    `Authorization: ${basic(client)}`,
    `Content-Type: ${FORM}`,
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
}
