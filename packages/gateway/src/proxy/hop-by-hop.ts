// Headers that end at the next server, and those that only this gateway may write: RFC 9110 §7.6.1, §7.6.3.
import { headerValues, plainName } from '../decision/edge-request.ts';

const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * Names and values of what goes on to the next server: without the hop's own headers, and those that `drops` says, which is told
 * names as the most careless reader takes them. `Transfer_Encoding` is one that some servers obey.
 */
export function endToEnd(rawHeaders: readonly string[], drops: (name: string) => boolean): string[] {
  const nominated = new Set(
    headerValues(rawHeaders, 'connection').flatMap((value) =>
      value.split(',').map((name) => name.trim().toLowerCase()),
    ),
  );
  return rawHeaders.filter((_, i) => {
    const name = rawHeaders[i - (i % 2)] as string;
    const plain = plainName(name);
    return !HOP_BY_HOP.has(plain) && !nominated.has(name.toLowerCase()) && !drops(plain);
  });
}

/**
 * What a caller may not say of itself to an application behind a proxy; the gateway says it instead, or nobody. `Proxy` becomes
 * HTTP_PROXY in CGI (RFC 3875 §4.1.18), by which programs choose their own.
 */
export function describesTheWay(name: string): boolean {
  const plain = plainName(name);
  return /^(?:x-forwarded(?:-.*)?|forwarded|x-real-ip|x-original-.*|x-rewrite-url|proxy)$/.test(plain);
}
