// DTLS records: RFC 6347 §4.1.

export const CONTENT = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23 } as const;
export const DTLS_1_2 = 0xfefd;
/** A first ClientHello may say it (RFC 5246 appendix E.1), and the answer with a cookie does (RFC 6347 §4.2.1). */
export const DTLS_1_0 = 0xfeff;
export const RECORD_HEADER_BYTES = 13;
/** Of a datagram, looked at. A flight of a client has four. */
const MOST_RECORDS = 16;

export interface DtlsRecord {
  readonly type: number;
  readonly version: number;
  readonly epoch: number;
  /** 48 bits. */
  readonly sequence: number;
  readonly fragment: Uint8Array;
}

/**
 * The records of a datagram, as far as they make sense: what does not is dropped with all behind it (RFC 6347 §4.1.2.7).
 * Nothing is copied. Never throws.
 */
export function readRecords(datagram: Uint8Array): readonly DtlsRecord[] {
  const records: DtlsRecord[] = [];
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  for (let at = 0; datagram.length - at >= RECORD_HEADER_BYTES && records.length < MOST_RECORDS; ) {
    const type = view.getUint8(at);
    const version = view.getUint16(at + 1);
    const length = view.getUint16(at + 11);
    const start = at + RECORD_HEADER_BYTES;
    if (type < CONTENT.changeCipherSpec || type > CONTENT.applicationData) break;
    const epoch = view.getUint16(at + 3);
    // What is sealed is of the version that was agreed on (RFC 6347 §4.1): it is under the seal.
    if (version !== DTLS_1_2 && (version !== DTLS_1_0 || epoch > 0)) break;
    if (length === 0 || length > datagram.length - start) break;
    const sequence = view.getUint16(at + 5) * 2 ** 32 + view.getUint32(at + 7);
    records.push({ type, version, epoch, sequence, fragment: datagram.subarray(start, start + length) });
    at = start + length;
  }
  return records;
}

export function writeRecord(
  { type, epoch, sequence, fragment }: Omit<DtlsRecord, 'version'>,
  version: number = DTLS_1_2,
): Buffer {
  const record = Buffer.alloc(RECORD_HEADER_BYTES + fragment.length);
  record.writeUInt8(type, 0);
  record.writeUInt16BE(version, 1);
  record.writeUInt16BE(epoch, 3);
  record.writeUIntBE(sequence, 5, 6);
  record.writeUInt16BE(fragment.length, 11);
  record.set(fragment, RECORD_HEADER_BYTES);
  return record;
}
