import { connect as connectTcp, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import type { Target } from './target.ts';

/** What a raw connection gave back before it ended or the patience did. */
export interface RawResult {
  readonly text: string;
  /** Status codes in the order of their status lines. */
  readonly statuses: readonly number[];
  /** True where the server ended the connection itself. */
  readonly closedByServer: boolean;
  readonly afterMs: number;
}

export interface RawOptions {
  /** Give up waiting after this long (5 s). */
  readonly patienceMs?: number;
  /** Stop as soon as this many answers are whole enough to have their status line; without it: until the end. */
  readonly answers?: number;
  /** Pause between two pieces. */
  readonly pauseMs?: number;
  /** Break the connection without waiting, once everything is sent. */
  readonly hangUp?: boolean;
}

/** Opens a connection to the issuer and nothing more. */
export function openRaw(target: Target, localAddress?: string): Promise<Socket> {
  const at = new URL(target.issuer);
  const secure = at.protocol === 'https:';
  const port = Number(at.port === '' ? (secure ? 443 : 80) : at.port);
  const from = localAddress === undefined ? {} : { localAddress };
  return new Promise((resolve, reject) => {
    const socket = secure
      ? connectTls({ host: at.hostname, port, servername: at.hostname, ca: target.ca, ...from }, () =>
          resolve(socket),
        )
      : connectTcp({ host: at.hostname, port, ...from }, () => resolve(socket));
    socket.once('error', reject);
  });
}

/** Sends bytes exactly as given, piece by piece, and reads what comes. Never rejects once connected. */
export async function speakRaw(
  target: Target,
  pieces: readonly (string | Uint8Array)[],
  options: RawOptions = {},
): Promise<RawResult> {
  const socket = await openRaw(target);
  const started = Date.now();
  let text = '';
  let closedByServer = false;
  const ended = new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (options.answers !== undefined && statusesOf(text).length >= options.answers) resolve();
    });
    socket.on('end', () => {
      closedByServer = true;
      resolve();
    });
    socket.on('close', () => {
      closedByServer = true;
      resolve();
    });
    socket.on('error', () => resolve());
  });
  for (const piece of pieces) {
    if (socket.destroyed || closedByServer) break;
    socket.write(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece);
    if (options.pauseMs !== undefined) await Promise.race([sleep(options.pauseMs), ended]);
  }
  if (options.hangUp !== true)
    await Promise.race([ended, sleep(options.patienceMs ?? 5000, undefined, { ref: false })]);
  const result = { text, statuses: statusesOf(text), closedByServer, afterMs: Date.now() - started };
  socket.destroy();
  return result;
}

export function statusesOf(text: string): number[] {
  // a body has no line end of its own: the next status line may follow it directly
  return [...text.matchAll(/HTTP\/1\.[01] (\d{3})(?= )/g)].map((match) => Number(match[1]));
}

/** A POST to the token endpoint as text; `lines` are whole header lines. */
export function tokenRequestText(target: Target, lines: readonly string[], body: string): string {
  const at = new URL(target.tokenEndpoint);
  return [`POST ${at.pathname} HTTP/1.1`, `Host: ${at.host}`, ...lines, '', body].join('\r\n');
}
