// The messages of the SPIFFE Workload API: workload.proto of the SPIFFE specification, which has no package.
import { type Field, readFields, textOf } from '../protobuf/reader.ts';
import { type Json, writeStruct } from '../protobuf/struct.ts';
import { MessageWriter } from '../protobuf/writer.ts';

export interface JwtSvidRequest {
  readonly audience: readonly string[];
  /** Empty: every identity that the caller has. */
  readonly spiffeId: string;
}

/** @throws MalformedMessage */
export function readJwtSvidRequest(message: Uint8Array): JwtSvidRequest {
  const fields = readFields(message);
  return { audience: textsOf(fields, 1), spiffeId: lastTextOf(fields, 2) };
}

export interface ValidateJwtSvidRequest {
  readonly audience: string;
  readonly svid: string;
}

/** @throws MalformedMessage */
export function readValidateJwtSvidRequest(message: Uint8Array): ValidateJwtSvidRequest {
  const fields = readFields(message);
  return { audience: lastTextOf(fields, 1), svid: lastTextOf(fields, 2) };
}

function textsOf(fields: readonly Field[], number: number): readonly string[] {
  return fields.filter(({ field }) => field === number).map(textOf);
}

/** Of a field that is sent twice the last one holds. */
function lastTextOf(fields: readonly Field[], number: number): string {
  return textsOf(fields, number).at(-1) ?? '';
}

export interface JwtSvid {
  readonly spiffeId: string;
  /** JWS Compact Serialization. */
  readonly svid: string;
  readonly hint: string;
}

export function jwtSvidResponse(svids: readonly JwtSvid[]): Buffer {
  const response = new MessageWriter();
  for (const { spiffeId, svid, hint } of svids) {
    response.message(1, (each) => each.string(1, spiffeId).string(2, svid).string(3, hint));
  }
  return response.finish();
}

/** @param bundles a JWKS document by the SPIFFE ID of its trust domain */
export function jwtBundlesResponse(bundles: ReadonlyMap<string, Uint8Array>): Buffer {
  return new MessageWriter().mapOfBytes(1, bundles).finish();
}

export function validateJwtSvidResponse(spiffeId: string, claims: { readonly [name: string]: Json }): Buffer {
  return new MessageWriter()
    .string(1, spiffeId)
    .message(2, (struct) => writeStruct(struct, claims))
    .finish();
}

export interface X509Svid {
  readonly spiffeId: string;
  /** DER, the leaf first, then intermediate certificates. */
  readonly chain: readonly Uint8Array[];
  /** PKCS#8, DER. */
  readonly key: Uint8Array;
  /** DER, certificates of the trust domain of the SPIFFE ID. */
  readonly bundle: readonly Uint8Array[];
  readonly hint: string;
}

export interface X509Context {
  readonly svids: readonly X509Svid[];
  /** DER. */
  readonly crl: readonly Uint8Array[];
  /** By the SPIFFE ID of the trust domain: certificates, DER. */
  readonly federatedBundles: ReadonlyMap<string, Uint8Array>;
}

export function x509SvidResponse({ svids, crl, federatedBundles }: X509Context): Buffer {
  const response = new MessageWriter();
  for (const svid of svids) {
    response.message(1, (each) =>
      each
        .string(1, svid.spiffeId)
        .bytes(2, Buffer.concat(svid.chain))
        .bytes(3, svid.key)
        .bytes(4, Buffer.concat(svid.bundle))
        .string(5, svid.hint),
    );
  }
  for (const list of crl) response.bytes(2, list);
  return response.mapOfBytes(3, federatedBundles).finish();
}

export function x509BundlesResponse(
  crl: readonly Uint8Array[],
  bundles: ReadonlyMap<string, Uint8Array>,
): Buffer {
  const response = new MessageWriter();
  for (const list of crl) response.bytes(1, list);
  return response.mapOfBytes(2, bundles).finish();
}
