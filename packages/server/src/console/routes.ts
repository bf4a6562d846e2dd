// The console's files at `/console`: a page that loads its script and style from here, and lets nothing else in.
import type { HttpRequest } from '../http/request.ts';
import { singleHeader } from '../http/request.ts';
import { type HttpResponse, textResponse } from '../http/response.ts';
import type { Route } from '../http/route.ts';
import { openSite, type Site, type SiteFile, siteFile } from './site.ts';

export interface ConsoleDeps {
  /** Of the authority: its path is where the console stands, too. */
  readonly issuer: string;
  /** What the console's package brings: `site.json` and the files that it names. */
  readonly folder: URL;
  /** Issuer through which people sign in now: the one other address that the page may ask. */
  readonly peopleIssuer: () => Promise<string | undefined>;
}

/** Screens have addresses of one or two segments: each is the same page, which reads its own address. */
const PAGES = ['/console', '/console/', '/console/:screen', '/console/:screen/:subject'];

export function consoleRoutes(deps: ConsoleDeps): readonly Route[] {
  let opened: Promise<Site> | undefined;
  const site = async (): Promise<Site> => {
    opened ??= openSite(deps.folder);
    // What cannot be read is asked for again: a build may be under way.
    opened.catch(() => (opened = undefined));
    return await opened;
  };
  const read = { method: 'GET', bodyLimit: 0, errors: 'plain' } as const;
  return [
    ...PAGES.map((path): Route => ({ ...read, path, endpoint: pageOf(deps, site) })),
    { ...read, path: '/console/assets/:file', endpoint: assetOf(site) },
  ];
}

/** Answers are the same for everybody: who it is for, the script finds out. */
function pageOf(deps: ConsoleDeps, site: () => Promise<Site>): Route['endpoint'] {
  let made: Promise<SiteFile> | undefined;
  return async (request) => {
    made ??= site().then((opened) =>
      siteFile('text/html; charset=utf-8', Buffer.from(page(deps.issuer, opened), 'utf8')),
    );
    made.catch(() => (made = undefined));
    const [file, people] = await Promise.all([made, deps.peopleIssuer()]);
    const headers = {
      ...PAGE_HEADERS,
      'content-security-policy': contentSecurityPolicy(deps.issuer, people),
    };
    return sent(request, file, headers);
  };
}

function assetOf(site: () => Promise<Site>): Route['endpoint'] {
  return async (request, { file: name = '' }) => {
    const file = await (await site()).file(name);
    if (file === undefined) return textResponse(404, 'The console has no such file.\n', ASSET_HEADERS);
    // Its name changes with what is in it (RFC 8246).
    return sent(request, file, { ...ASSET_HEADERS, 'cache-control': 'public, max-age=31536000, immutable' });
  };
}

/** RFC 9110 §13.1.2 (If-None-Match), §12.5.3 (Accept-Encoding). */
function sent(request: HttpRequest, file: SiteFile, given: Readonly<Record<string, string>>): HttpResponse {
  const packed = takesGzip(singleHeader(request, 'accept-encoding') ?? '');
  // Each encoding has its own: §8.8.3.3.
  const etag = packed ? file.etag.replace(/"$/, '-gzip"') : file.etag;
  const headers = { ...given, etag, vary: 'accept-encoding' };
  const known = (singleHeader(request, 'if-none-match') ?? '').split(',').map((tag) => tag.trim());
  if (known.includes(etag) || known.includes(`W/${etag}`)) return { status: 304, headers, body: '' };
  const typed = { ...headers, 'content-type': file.type };
  return packed
    ? { status: 200, headers: { ...typed, 'content-encoding': 'gzip' }, body: file.gzipped }
    : { status: 200, headers: typed, body: file.bytes };
}

function takesGzip(accepted: string): boolean {
  const found = /(?:^|,)\s*gzip\s*(?:;\s*q=([0-9.]+))?\s*(?:,|$)/i.exec(accepted);
  return found !== null && Number(found[1] ?? '1') > 0;
}

const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
} as const;

/** A 404 of an asset is not kept: after a deployment it may be there. */
const ASSET_HEADERS = { ...SECURITY_HEADERS, 'cache-control': 'no-store' } as const;

const PAGE_HEADERS = {
  ...SECURITY_HEADERS,
  'cache-control': 'no-cache',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
} as const;

/**
 * CSP Level 3, Trusted Types: nothing inline, nothing from elsewhere, in nobody's frame, and no text becomes script. The page asks this origin, and
 * the issuer of people for its metadata and its ID token.
 */
function contentSecurityPolicy(issuer: string, people: string | undefined): string {
  const own = new URL(issuer).origin;
  const other = people === undefined ? own : new URL(people).origin;
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    `connect-src 'self'${other === own ? '' : ` ${other}`}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}

function page(issuer: string, { script, style }: Site): string {
  const at = `${new URL(issuer).pathname.replace(/\/$/, '')}/console`;
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta name="countersign-issuer" content="${escaped(issuer)}">
    <title>Countersign</title>
    <link rel="icon" type="image/svg+xml" href="${escaped(at)}/assets/icon.svg">
    <link rel="stylesheet" href="${escaped(`${at}/assets/${style}`)}">
    <script type="module" src="${escaped(`${at}/assets/${script}`)}"></script>
  </head>
  <body>
    <div id="console"></div>
    <noscript><p>The console is a program that runs in the browser: allow scripts for this address, or use the command <code>countersign</code>.</p></noscript>
  </body>
</html>
`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
