import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HeaderLine } from '../wire/exchange.ts';

/** A request as the legacy application behind everything got it. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly lines: readonly HeaderLine[];
  readonly body: string;
}

export interface Upstream {
  readonly address: string;
  readonly seen: Seen[];
  /** How long it takes to answer. */
  delayMs: number;
  close(): Promise<void>;
}

/** An application that knows nothing of tokens: answers every request with 200 and what it got. */
export async function startUpstream(): Promise<Upstream> {
  const seen: Seen[] = [];
  const server = createServer({ maxHeaderSize: 262_144 }, (request, response) => {
    void bodyOf(request).then(async (body) => {
      const lines = request.rawHeaders.flatMap((name, i) =>
        i % 2 === 0 ? [[name, request.rawHeaders[i + 1] as string] as const] : [],
      );
      seen.push({ method: request.method ?? '', url: request.url ?? '', lines, body });
      await sleep(made.delayMs);
      response.setHeader('X-Upstream', 'legacy');
      response.end(JSON.stringify({ url: request.url }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const made: Upstream = {
    delayMs: 0,
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return made;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** Values of a header, whatever its case, and with `_` as `-`: as WSGI and CGI would see it. */
export function valuesOf({ lines }: Seen, name: string): readonly string[] {
  const wanted = name.toLowerCase();
  return lines
    .filter(([each]) => each.toLowerCase().replaceAll('_', '-') === wanted)
    .map(([, value]) => value);
}
