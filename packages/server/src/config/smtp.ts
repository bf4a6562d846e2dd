import { isIP } from 'node:net';
import { readSettingFile, SettingError } from './load.ts';

/** The server that mails are handed to, and as whom. */
export interface Smtp {
  readonly host: string;
  readonly port: number;
  readonly implicitTls: boolean;
  readonly requireTls: boolean;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly ca: string | undefined;
  readonly from: string;
}

interface Given {
  readonly url: string | undefined;
  readonly from: string | undefined;
  readonly tls: string | undefined;
  readonly caFile: string | undefined;
}

const ADDRESS = /^[^\s@<>"(),:;[\]\\]+@[^\s@<>"(),:;[\]\\]+$/;
const FORM =
  'smtp://HOST:587 or smtps://HOST:465, with USER:PASSWORD@ in front of the host where it asks for one.';

/** Undefined: no mail is sent. */
export function smtpOf({ url: text, from, tls, caFile }: Given): Smtp | undefined {
  if (text === undefined) {
    if (from === undefined && caFile === undefined) return undefined;
    throw new SettingError('smtp-url', 'is missing, and mails would go nowhere', `Write ${FORM}`);
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isSmtp = url?.protocol === 'smtp:' || url?.protocol === 'smtps:';
  if (
    url === undefined ||
    !isSmtp ||
    url.hostname === '' ||
    !/^\/?$/.test(url.pathname) ||
    url.search !== ''
  ) {
    throw new SettingError('smtp-url', 'is not the URL of a mail server', `Write ${FORM}`);
  }
  if (from === undefined || !ADDRESS.test(from)) {
    const wrong = from === undefined ? 'is missing' : 'is not an e-mail address';
    throw new SettingError(
      'smtp-from',
      wrong,
      'Write the address that mails come from: countersign@example.com.',
    );
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const implicitTls = url.protocol === 'smtps:';
  return {
    host,
    port: url.port === '' ? (implicitTls ? 465 : 587) : Number(url.port),
    implicitTls,
    requireTls: tls !== 'off' && !isLoopback(host),
    user: decoded(url.username),
    password: decoded(url.password),
    ca: caFile === undefined ? undefined : readSettingFile('smtp-ca', caFile),
    from,
  };
}

function decoded(text: string): string | undefined {
  if (text === '') return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    throw new SettingError('smtp-url', 'has a % in its account that begins no escape', 'Write % as %25.');
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
