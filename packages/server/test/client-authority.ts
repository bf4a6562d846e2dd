import { generateKeyPairSync, type KeyObject, sign, X509Certificate } from 'node:crypto';
import {
  basicConstraints,
  extendedKeyUsage,
  keyUsage,
  signCertificate,
  subjectAltName,
} from '../src/http/certificate.ts';
import type { HttpResponse } from '../src/http/response.ts';
import { credentialRecord } from '../src/storage/contract/records.ts';
import type { CredentialMaterial, CredentialRecord } from '../src/storage/credentials.ts';
import type { TokenScene } from './token-scene.ts';

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const DAY = 86_400_000;

export interface Issued {
  readonly der: Uint8Array;
  readonly pem: string;
  readonly serialNumber: Uint8Array;
}

export interface Wanted {
  readonly subject?: string;
  readonly notBefore?: number;
  readonly notAfter?: number;
  readonly publicKey?: KeyObject;
  /** Instead of those of a certificate for clients. */
  readonly extensions?: readonly Uint8Array[];
  /** Beside them. */
  readonly dns?: readonly string[];
}

/** An authority that issues certificates for clients, all of it in memory, around an instant (epoch ms). */
export interface ClientAuthority extends Issued {
  issue(wanted?: Wanted): Issued;
  /** PEM of a revocation list, valid for a day around the instant unless said otherwise. */
  crl(revoked: readonly Issued[], nextUpdate?: number, thisUpdate?: number): string;
}

export function clientAuthority(
  now: number,
  name = 'clients',
  extensions: readonly Uint8Array[] = [],
): ClientAuthority {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  let serial = 1;

  function make(subject: string, wanted: Wanted, more: readonly Uint8Array[]): Issued {
    const serialNumber = Uint8Array.of(1, serial++);
    const pem = signCertificate(
      {
        serialNumber,
        issuer: name,
        subject,
        notBefore: wanted.notBefore ?? now - DAY,
        notAfter: wanted.notAfter ?? now + DAY,
        publicKey: wanted.publicKey ?? keys.publicKey,
        extensions: more,
      },
      keys.privateKey,
    );
    return { der: new Uint8Array(new X509Certificate(pem).raw), pem: `${pem}\n`, serialNumber };
  }

  return {
    ...make(name, {}, [basicConstraints(true), keyUsage(5, 6), ...extensions]),
    issue(wanted = {}) {
      const usual = [basicConstraints(false), keyUsage(0), extendedKeyUsage(CLIENT_AUTH)];
      const names = wanted.dns === undefined ? [] : [subjectAltName(wanted.dns, [])];
      return make(wanted.subject ?? 'payments', wanted, [...(wanted.extensions ?? usual), ...names]);
    },
    crl(revoked, nextUpdate = now + DAY, thisUpdate = now - DAY) {
      const algorithm = element(0x30, element(0x06, Buffer.from('2a8648ce3d040302', 'hex')));
      const cn = element(0x30, element(0x06, Buffer.from('550403', 'hex')), element(0x0c, Buffer.from(name)));
      const entries = revoked.map(({ serialNumber }) =>
        element(0x30, element(0x02, serialNumber), utcTime(now - DAY)),
      );
      const tbs = element(
        0x30,
        element(0x02, Uint8Array.of(1)),
        algorithm,
        element(0x30, element(0x31, cn)),
        utcTime(thisUpdate),
        utcTime(nextUpdate),
        ...(entries.length === 0 ? [] : [element(0x30, ...entries)]),
      );
      const signature = sign('sha256', tbs, keys.privateKey);
      const der = element(0x30, tbs, algorithm, element(0x03, Uint8Array.of(0), signature));
      return `-----BEGIN X509 CRL-----\n${Buffer.from(der).toString('base64')}\n-----END X509 CRL-----\n`;
    },
  };
}

/** RFC 5280 §4.2.1.10, critical: host names below this one and no others. */
export function onlyBelow(host: string): Uint8Array {
  const permitted = element(0xa0, element(0x30, element(0x82, Buffer.from(host))));
  const value = element(0x04, element(0x30, permitted));
  return element(
    0x30,
    element(0x06, Buffer.from('551d1e', 'hex')),
    element(0x01, Uint8Array.of(0xff)),
    value,
  );
}

/** X.690 §10.1, up to 65,535 bytes. */
export function element(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Uint8Array.of(tag, ...size), content]);
}

function utcTime(at: number): Uint8Array {
  const digits = new Date(at).toISOString().slice(2, 19).replace(/\D/g, '');
  return element(0x17, Buffer.from(`${digits}Z`));
}

type Material = Extract<CredentialMaterial, { type: 'tls_client_auth' }>;

/** Gives the client a credential for certificates of this authority. */
export async function addTlsClient(
  scene: Pick<TokenScene, 'storage' | 'identity'>,
  authority: Pick<Issued, 'pem'>,
  material: Partial<Material> = {},
  change: Partial<CredentialRecord> = {},
): Promise<CredentialRecord> {
  const record = credentialRecord(scene.identity.id, {
    material: {
      type: 'tls_client_auth',
      field: 'subject_dn',
      value: 'CN=payments',
      ca: authority.pem,
      ...material,
    },
    ...change,
  });
  await scene.storage.credentials.insert(record);
  return record;
}

/** Asks for a token with a certificate, as the client `payments` unless said otherwise. */
export function askByCertificate(
  scene: Pick<TokenScene, 'call'>,
  chain: readonly Pick<Issued, 'der'>[],
  more: { readonly form?: string; readonly headers?: readonly string[] } = {},
): Promise<HttpResponse> {
  const form = more.form ?? 'client_id=payments';
  return scene.call('/oauth/token', {
    body: Buffer.from(`grant_type=client_credentials&${form}`),
    rawHeaders: ['Content-Type', 'application/x-www-form-urlencoded', ...(more.headers ?? [])],
    clientCertificate: { chain: chain.map(({ der }) => der), source: 'tls' },
  });
}
