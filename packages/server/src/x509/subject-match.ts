// How a registered client is found in a certificate: the five fields of RFC 8705 §2.1.2, exactly one of them.
import { isIPv4, isIPv6 } from 'node:net';
import type { Certificate } from './certificate.ts';
import { parseDistinguishedName } from './distinguished-name-text.ts';
import type { GeneralName } from './general-name.ts';

export type SubjectField = 'subject_dn' | 'san_dns' | 'san_uri' | 'san_ip' | 'san_email';

/** Whether a certificate names the one who is meant. */
export type SubjectMatch = (certificate: Certificate) => boolean;

export type SubjectReading =
  | { readonly ok: true; readonly match: SubjectMatch }
  /** A sentence for whoever wrote the value. */
  | { readonly ok: false; readonly fault: string };

/** Reads what was registered. A value that no certificate could have is refused. Never throws. */
export function subjectMatch(field: SubjectField, value: string): SubjectReading {
  return READERS[field](value);
}

const READERS: { readonly [field in SubjectField]: (value: string) => SubjectReading } = {
  subject_dn(value) {
    const parsed = parseDistinguishedName(value);
    if (!parsed.ok) return parsed;
    const { key } = parsed.name;
    // RFC 8705 §2.1.2, RFC 4514: names, not their texts, are compared.
    return found(({ subject }) => subject.key === key);
  },

  san_dns(value) {
    const wanted = value.toLowerCase();
    if (!HOST.test(wanted)) return refused('a host name in ASCII, without wildcard and final dot');
    return found((certificate) => texts(certificate, 'dns').some((text) => text.toLowerCase() === wanted));
  },

  san_uri(value) {
    if (!URI.test(value)) return refused('an absolute URI in ASCII');
    // To the letter: which spellings of a URI are the same depends on its scheme (RFC 3986 §6.2).
    return found((certificate) => {
      const uris = texts(certificate, 'uri');
      // A second one could be what another reader looks at.
      return uris.length === 1 && uris[0] === value;
    });
  },

  san_ip(value) {
    const wanted = addressBytes(value);
    if (wanted === undefined) return refused('an IPv4 or IPv6 address');
    return found(({ subjectAltNames }) =>
      subjectAltNames.some((name) => name.form === 'ip' && Buffer.compare(name.bytes, wanted) === 0),
    );
  },

  san_email(value) {
    const wanted = mailbox(value);
    if (wanted === undefined) return refused('a mail address in ASCII');
    return found((certificate) => texts(certificate, 'email').some((text) => mailbox(text) === wanted));
  },
};

const HOST =
  /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;
const URI = /^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]+$/;
const MAILBOX = /^([\x21-\x3f\x41-\x7e]{1,64})@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)$/;

function found(match: SubjectMatch): SubjectReading {
  return { ok: true, match };
}
function refused(what: string): SubjectReading {
  return { ok: false, fault: `must be ${what}` };
}

function texts({ subjectAltNames }: Certificate, form: 'dns' | 'uri' | 'email'): readonly string[] {
  return subjectAltNames
    .filter((name): name is Extract<GeneralName, { text: string }> => name.form === form)
    .map(({ text }) => text);
}

/** RFC 5280 §7.5: the host in any case, what stands before it in its own. */
function mailbox(text: string): string | undefined {
  const [, local, host] = MAILBOX.exec(text) ?? [];
  return local === undefined || host === undefined ? undefined : `${local}@${host.toLowerCase()}`;
}

/** RFC 5280 §4.2.1.6: 4 or 16 bytes in network order. One of IPv4 written as IPv6 is another address. */
export function addressBytes(text: string): Uint8Array | undefined {
  if (isIPv4(text)) return Uint8Array.from(text.split('.').map(Number));
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const dotted = text.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...parts) => {
    const [a, b, c, d] = parts.slice(0, 4).map(Number) as [number, number, number, number];
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  const [before = '', after] = dotted.split('::');
  const groups = (part: string): readonly string[] => (part === '' ? [] : part.split(':'));
  const [head, tail] = [groups(before), groups(after ?? '')];
  const all = [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail];
  return Uint8Array.from(
    all.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]),
  );
}
